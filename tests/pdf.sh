#!/usr/bin/env bash
# Prints one of everything with the given program and opens it with pdf.js and PDFium:
#   tests/pdf.sh target/debug/examples/specimens
# Every skip is printed; under CI=true a skip fails.
set -euo pipefail
specimens=$(realpath "$1")
cd "$(dirname "$0")/pdf"

skip() {
  printf 'SKIP: %s\n' "$1"
  [ "${CI:-}" != true ] || exit 1
  exit 0
}

for program in node npm; do
  command -v "$program" >/dev/null || skip "viewers of other people: $program is not installed"
done
# Only when the lock file changed since the last time.
if ! cmp -s package-lock.json node_modules/.from-lock; then
  npm ci --omit=optional --no-fund --no-audit --loglevel=error || skip 'viewers of other people: npm has no registry'
  cp package-lock.json node_modules/.from-lock
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$specimens" "$work"
# A scan is a picture: there is no text in it.
rm "$work"/scan.pdf
node judge.mjs "$work"/*.pdf
