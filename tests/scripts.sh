#!/usr/bin/env bash
# Tests the scripts of the pages with Node; OpenSSL, NSS and GnuTLS judge what they make.
# Every skip is printed; under CI=true a skip fails.
set -euo pipefail
cd "$(dirname "$0")/scripts"

skip() {
  printf 'SKIP: %s\n' "$1"
  [ "${CI:-}" != true ] || exit 1
}

for program in node openssl; do
  command -v "$program" >/dev/null || { skip "the scripts of the pages: $program is not installed"; exit 0; }
done
for program in certutil pk12util certtool; do
  command -v "$program" >/dev/null || skip "bundles of the pages' scripts: $program is not installed"
done
exec node --test ./*.test.mjs
