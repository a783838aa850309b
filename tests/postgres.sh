#!/usr/bin/env bash
# A throw-away PostgreSQL for tests:  postgres.sh start DIR | postgres.sh stop DIR
#
# `start` makes a cluster in DIR (which must not exist, or be empty) and prints its URL on stdout.
# `stop` ends it and removes DIR. It listens on loopback only, keeps fsync on, and drops to the user
# `postgres` when called by root, because the server refuses to run as root.
set -euo pipefail

fail() { echo "postgres.sh: $*" >&2; exit 1; }

[ $# -eq 2 ] || fail "usage: postgres.sh start|stop DIR"
command=$1
mkdir -p "$(dirname "$2")"
dir=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -x "$bin/initdb" ] || fail "no server found under /usr/lib/postgresql; install the package postgresql"

as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        # The caller's directory may be closed to the other user.
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/ "$@")
    else
        "$@"
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    [ -z "$(ls -A "$dir" 2>/dev/null)" ] || fail "$dir is not empty"
    mkdir -p "$dir"
    chmod 700 "$dir"
    [ "$(id -u)" -ne 0 ] || chown postgres: "$dir"
    as_server "$bin/initdb" --pgdata "$dir/data" --username app --auth trust \
        --encoding UTF8 --locale C.UTF-8 --data-checksums --no-sync >"$dir/initdb.log"
    # Another process may take the port between the asking and the start: then another is asked for.
    for _ in 1 2 3 4 5; do
        port=$(free_port)
        as_server sh -c 'cat >"$1"' - "$dir/data/postgresql.auto.conf" <<CONFIGURATION
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$dir'
fsync = on
synchronous_commit = on
max_connections = 200
shared_buffers = '128MB'
CONFIGURATION
        if as_server "$bin/pg_ctl" --pgdata "$dir/data" --log "$dir/server.log" --wait start >/dev/null; then
            echo "postgres://app@127.0.0.1:$port/postgres"
            return
        fi
    done
    cat "$dir/server.log" >&2
    fail "the server does not start"
}

stop() {
    [ -d "$dir/data" ] || fail "$dir holds no cluster"
    as_server "$bin/pg_ctl" --pgdata "$dir/data" --mode immediate --wait stop >/dev/null || true
    rm -rf "$dir"
}

case $command in
    start) start ;;
    stop) stop ;;
    *) fail "unknown command $command" ;;
esac
