#!/usr/bin/env bash
# Plays the demonstration with the given program and lets other people's programs judge what it made.
set -euo pipefail
program=$(realpath "$1")
work=$(mktemp -d)
server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
demo=$work/demo
# Reads everything before it looks: a pipe closed early would fail the writer.
says() { grep -q -- "$1" <<<"$(cat)"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; exit 1; }

timeout 120 "$program" demo --no-serve --dir "$demo" >"$work/story.txt" || { cat "$work/story.txt"; fail 'the demonstration'; }
tail -n 1 "$work/story.txt"

count=0
for pdf in "$demo"/forms/*.pdf "$demo"/scans/*.pdf "$demo"/letters/*.pdf; do
  qpdf --check "$pdf" >/dev/null || fail "qpdf: $pdf"
  pdfinfo "$pdf" >/dev/null || fail "poppler: $pdf"
  mutool info "$pdf" >/dev/null || fail "mupdf: $pdf"
  count=$((count + 1))
done
for pdf in "$demo"/forms/*.pdf; do
  pdftotext "$pdf" - | says 'パスワードに関する諸届' || fail "no title can be read in $pdf"
  pdffonts "$pdf" | tail -n +3 | awk '{ if ($(NF-4) != "yes" && $1 != "Helvetica" && $1 != "ZapfDingbats") exit 1 }' || fail "a font is not embedded in $pdf"
done
pdftotext "$demo"/letters/*-specimen.pdf - | says '証明書取得用パスワード' || fail 'the letter says nothing'
printf 'PDFs: %s\n' "$count"

ca=$demo/certificates
for p12 in "$ca"/*.p12; do
  name=$(basename "$p12" .p12)
  for password in '' saihakko-demo; do
    openssl pkcs12 -in "$p12" -passin "pass:$password" -nodes -out "$work/$name.pem" 2>/dev/null && break
  done
  grep -q 'PRIVATE KEY' "$work/$name.pem" || fail "openssl opens $p12"
  openssl x509 -in "$work/$name.pem" -out "$work/$name.crt"
  openssl verify -CAfile "$ca/root.pem" -untrusted "$ca/issuing.pem" "$work/$name.crt" >/dev/null || fail "openssl verify $name"
done

python3 - "$demo/outbox" <<'P'
import email, email.policy, pathlib, re, sys
mails = sorted(pathlib.Path(sys.argv[1]).glob('*.eml'))
assert mails, 'no mails'
for path in mails:
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert mail['Message-ID'] and mail['Date'] and mail['Subject'] and mail['To'], path
    parts = {part.get_content_type() for part in mail.walk()}
    assert {'text/plain', 'text/html'} <= parts, (path, parts)
    for part in mail.walk():
        if part.get_content_maintype() == 'text':
            text = part.get_content()
            assert not re.search(r'\d(?:[ \-]?\d){15}', text), f'sixteen digits in {path}'
            assert 'http://' not in text and 'https://' not in re.sub(r'<!DOCTYPE[^>]*>|xmlns="[^"]*"', '', text), f'a link in {path}'
print(f'mails: {len(mails)}')
P

"$program" history verify --dir "$demo" || fail 'history verify'
"$program" doctor --dir "$demo" >/dev/null || fail 'doctor'
"$program" schedule list --dir "$demo" --json | python3 -m json.tool >/dev/null || fail 'schedule list'
"$program" outbox list --dir "$demo" --json | python3 -m json.tool >/dev/null || fail 'outbox list'
case=$("$program" case list --dir "$demo" --workflow self_service --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["cases"][-1]["case"])')
"$program" case show "$case" --dir "$demo" --json | python3 -m json.tool >/dev/null || fail 'case show'
"$program" case diagram "$case" --dir "$demo" | python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.stdin)' || fail 'case diagram is no XML'

: >"$work/serve.txt"
for site in CUSTOMER CERTIFICATE STAFF METRICS REVOCATION_LIST; do
  export "SAIHAKKO__${site}_SITE__ADDRESS=127.0.0.1:0"
done
"$program" serve --dir "$demo" >"$work/serve.txt" 2>"$work/serve.log" &
server=$!
for _ in $(seq 100); do
  grep -q '^revocations' "$work/serve.txt" && break
  read -rt 0.1 <> <(:) || true
done
address() { sed -n "s#^$1 *\\(http[^ ]*\\)\$#\\1#p" "$work/serve.txt" | sed 's#/$##'; }
pages=$(address staff)
customers=$(address customers)
site=$(address certificate)
list=$(address revocations)
[ -n "$pages" ] && [ -n "$customers" ] && [ -n "$site" ] && [ -n "$list" ] || { cat "$work/serve.log"; fail 'the server did not come up'; }
# Six digits as the auditor's card shows them (RFC 6238), made without a line of ours.
card() {
  local seed step mac offset
  seed=$(printf 'card-%s' "$1" | openssl dgst -sha256 -r | cut -c1-40)
  step=$(printf '%016x' $(($(date +%s) / 30)) | sed 's/../\\x&/g')
  # shellcheck disable=SC2059 # the bytes of the step are the format
  mac=$(printf "$step" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$seed" -r | cut -c1-40)
  offset=$((16#${mac:39:1} * 2))
  printf '%06d' $(((16#${mac:offset:8} & 0x7fffffff) % 1000000))
}
as_auditor() { curl -fsS --max-time 20 --cacert "$ca/root.pem" -b "$work/jar" -c "$work/jar" "$@"; }
as_auditor -o /dev/null -H "Origin: $pages" --data-urlencode login=auditor --data-urlencode password=staff-auditor \
  --data-urlencode code="$(card auditor)" "$pages/sign-in" || fail 'the sign-in of staff'
as_auditor "$pages/audit" | says '再発行' || fail 'the page of cases'
[ "$(curl -sS --max-time 20 -o /dev/null -w '%{http_code}' --cacert "$ca/root.pem" "$pages/cases/$case")" = 303 ] \
  || fail 'a history without a sign-in'
curl -fsS --max-time 20 --cacert "$ca/root.pem" "$customers/" | says '電子証明書取得' || fail "the customers' start page"
curl -fsS --max-time 20 "$(address metrics)" | says 'saihakko_outbox_waiting' || fail 'the figures'
as_auditor "$pages/cases/$case" | says '<svg' || fail 'the case page'
curl -fsS --max-time 20 -o "$work/issuing.crl" "$list"
openssl crl -inform DER -in "$work/issuing.crl" -noout -CAfile "$ca/issuing.pem" -verify 2>/dev/null || fail 'the revocation list'
for p12 in "$ca"/010429001.p12 "$ca"/020705001.p12; do
  curl -fsS --max-time 20 --cacert "$ca/root.pem" --cert-type P12 --cert "$p12:" -H 'Accept: application/json' "$site/" \
    | says '"visit":"welcome"' || fail "curl does not log in with $p12"
done
curl -sS --max-time 20 --cacert "$ca/root.pem" -H 'Accept: application/json' "$site/" | says '"visit":"no_certificate"' || fail 'a visitor without a certificate'
kill "$server" && wait "$server" || fail 'the server did not end well'
server=
printf 'all outside checks passed\n'
