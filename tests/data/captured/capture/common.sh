# What the capturing scripts share: servers in the background that end with the script, and the form of a captured answer.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
out=$(mkdir -p "$2" && cd "$2" && pwd)
started=

stop() {
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    wait
}
trap stop EXIT
trap 'exit 1' INT TERM

begin() { # COMMAND...
    "$@" >>"$work/log" 2>&1 &
    started="$! $started"
}

until_there() { # SOCKET, or URL
    for _ in $(seq 100); do
        case $1 in http*) curl -s -o /dev/null "$1" && return ;; *) [ -S "$1" ] && return ;; esac
        sleep 0.2
    done
    echo "$1 did not come up; see $work/log" >&2
    exit 1
}

filled() { # NAME: a configuration of this folder, with its paths filled in
    sed -e "s|WORK|$work|g" -e "s|PORT|${port:-}|g" "$here/$1" >"$work/$1"
}

keep() { # NAME CURL-ARGUMENT...
    name=$1
    shift
    curl -s -o "$work/body" -D "$work/head" -H "Host: site.example" "$@"
    # curl keeps the line ends of the wire, and the empty line behind the headers.
    tr -d '\r' <"$work/head" | sed '/^$/d' >"$out/$name.txt"
}
