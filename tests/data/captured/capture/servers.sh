#!/bin/sh
# Captures what Apache, Caddy, and Varnish in front of nginx answer: as they come, and with headers set.
#
#   apt-get install --no-install-recommends apache2 caddy varnish nginx curl
#   sh servers.sh WORK_FOLDER OUTPUT_FOLDER
#
# Everything listens on loopback (ports 18480 to 18486) and ends with the script.
. "$(dirname "$0")/common.sh"

mkdir -p "$work/site/account"
echo '<!doctype html><title>Site</title><p>Hello' >"$work/site/index.html"
echo '<!doctype html><title>Account</title><p>Hello' >"$work/site/account/index.html"
echo 'a=1' >"$work/site/app.js"

pages() { # SERVER PORT
    keep "$1" "http://127.0.0.1:$2/"
    keep "$1-404" "http://127.0.0.1:$2/none"
    keep "$1-script" "http://127.0.0.1:$2/app.js"
}

port=18480
for setting in default hardened; do
    filled apache-$setting.conf
    begin apache2 -D FOREGROUND -f "$work/apache-$setting.conf"
    until_there "http://127.0.0.1:$port/"
    pages apache-$setting $port
    port=$((port + 1))
done
keep apache-default-redirect "http://127.0.0.1:18480/account"
keep apache-hardened-account "http://127.0.0.1:18481/account/"

for setting in default hardened; do
    filled caddy-$setting.conf
    begin env HOME="$work" XDG_CONFIG_HOME="$work" XDG_DATA_HOME="$work" \
        caddy run --adapter caddyfile --config "$work/caddy-$setting.conf"
    until_there "http://127.0.0.1:$port/"
    pages caddy-$setting $port
    port=$((port + 1))
done

filled varnish-nginx.conf
begin nginx -p "$work" -c "$work/varnish-nginx.conf" -g 'daemon off; user root;'
until_there "http://127.0.0.1:$port/"
begin varnishd -F -n "$work/varnish" -a 127.0.0.1:18485 -b "127.0.0.1:$port" -s malloc,16m -j none
until_there http://127.0.0.1:18485/
keep varnish-hit http://127.0.0.1:18485/
sleep 1
keep varnish-hit http://127.0.0.1:18485/
keep varnish-cookie http://127.0.0.1:18485/account/
