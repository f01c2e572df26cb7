#!/bin/sh
# Captures what Debian's WordPress answers behind nginx and PHP's FastCGI server: as it comes, and as it is often hardened.
#
#   apt-get install --no-install-recommends wordpress wordpress-theme-twentytwentythree nginx php-fpm php-mysql mariadb-server curl
#   sh wordpress.sh WORK_FOLDER OUTPUT_FOLDER        (as root: WordPress reads its settings from /etc/wordpress)
#
# Everything listens on sockets in WORK_FOLDER; the settings of site.example are removed from /etc/wordpress at the end.
. "$(dirname "$0")/common.sh"

settings=/etc/wordpress/config-site.example.php
trap 'rm -f "$settings"; stop' EXIT
sed "s|WORK|$work|" "$here/wordpress-settings.php" >"$settings"
for each in wordpress-fpm.conf wordpress-default.conf wordpress-hardened.conf; do filled "$each"; done

mariadb-install-db --no-defaults --user=root --datadir="$work/data" --auth-root-authentication-method=normal >>"$work/log" 2>&1
begin mariadbd --no-defaults --user=root --datadir="$work/data" --socket="$work/sql" --skip-networking
until_there "$work/sql"
mariadb --no-defaults -S "$work/sql" -u root -e 'CREATE DATABASE wordpress'
begin "$(ls /usr/sbin/php-fpm* | tail -1)" -R -F -y "$work/wordpress-fpm.conf"
until_there "$work/fpm"
for setting in default hardened; do
    begin nginx -p "$work" -c "$work/wordpress-$setting.conf" -g 'daemon off; user root;'
    until_there "$work/$setting"
done

ask() { # SETTING NAME PATH [CURL-ARGUMENT...]
    socket=$1 file=wordpress-$1$2 path=$3
    shift 3
    keep "$file" --unix-socket "$work/$socket" -H 'X-Forwarded-Proto: https' "$@" "http://site.example$path"
}

ask default -installed '/wp-admin/install.php?step=2' --data-urlencode weblog_title=Site \
    -d 'user_name=someone&admin_password=Not-a-Secret-1&admin_password2=Not-a-Secret-1&pw_weak=on&admin_email=a@site.example&blog_public=1'
rm "$out/wordpress-default-installed.txt"

for setting in default hardened; do
    ask $setting '' /
    ask $setting -login /wp-login.php
    ask $setting -signed-in /wp-login.php -b wordpress_test_cookie=WP%20Cookie%20check -d 'log=someone&pwd=Not-a-Secret-1'
    ask $setting -rest '/index.php?rest_route=/'
    ask $setting -xmlrpc /xmlrpc.php
    ask $setting -admin /wp-admin/
    ask $setting -404 '/?p=4711'
    ask $setting -script /wp-includes/js/jquery/jquery.min.js
    ask $setting -feed '/?feed=rss2'
done
