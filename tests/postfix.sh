#!/usr/bin/env bash
# A throw-away Postfix for tests:  postfix.sh start DIR | postfix.sh stop DIR
#
# `start` prints its port on stdout. It listens on loopback only, offers STARTTLS under DIR/cert.pem
# (for `localhost`), delivers whatever comes into the Maildir DIR/mail/box and nothing further.
# Needs root, since Postfix drops to its own users.
set -euo pipefail

fail() { echo "postfix.sh: $*" >&2; exit 1; }

[ $# -eq 2 ] || fail "usage: postfix.sh start|stop DIR"
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
[ "$(id -u)" = 0 ] || fail "must be root"
command -v postfix >/dev/null || fail "install the package postfix"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
  local port
  port=$(free_port)
  chmod 755 "$dir"
  mkdir -p "$dir"/{conf,queue,data,mail/box}
  chown postfix: "$dir/data"
  chown -R nobody: "$dir/mail"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE \
    -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
  # Every service runs outside a chroot: the queue is empty of the files that one would need.
  sed -E -e "s/^smtp( +)inet( +)n( +)-( +)y/127.0.0.1:$port inet n - n/" \
    -e 's/^([a-z]+ +(unix|inet) +[-yn] +[-yn?] +)y /\1n /' \
    /usr/share/postfix/master.cf.dist >"$dir/conf/master.cf"
  grep -q '^postlog' "$dir/conf/master.cf" ||
    echo 'postlog unix-dgram n - n - 1 postlogd' >>"$dir/conf/master.cf"
  cat >"$dir/conf/main.cf" <<CONFIGURATION
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
mail_owner = postfix
myhostname = mx.test.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = static:ALL
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = static:box/
virtual_minimum_uid = 1
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
default_transport = error:nothing leaves the tests
relay_transport = error:nothing leaves the tests
smtpd_tls_cert_file = $dir/cert.pem
smtpd_tls_key_file = $dir/key.pem
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_client_connection_count_limit = 0
maillog_file = $dir/log.txt
maillog_file_prefixes = $dir
CONFIGURATION
  # Postfix's own tools refuse a folder that the main configuration does not name.
  local main=/etc/postfix/main.cf
  [ -f "$main" ] || : >"$main"
  echo "alternate_config_directories = $dir/conf" >>"$main"
  postfix -c "$dir/conf" start >&2
  for _ in $(seq 100); do
    if python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1).close()" 2>/dev/null; then
      echo "$port"
      return
    fi
    sleep 0.1
  done
  cat "$dir/log.txt" >&2
  fail "it does not answer"
}

stop() {
  postfix -c "$dir/conf" stop >&2 2>&1 || true
  sed -i "\#^alternate_config_directories = $dir/conf\$#d" /etc/postfix/main.cf
  rm -rf "$dir"
}

case $command in
start) start ;;
stop) stop ;;
*) fail "usage: postfix.sh start|stop DIR" ;;
esac
