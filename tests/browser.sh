#!/usr/bin/env bash
# Plays the stories of the customers' pages in Chromium against the given program:
#   tests/browser.sh target/debug/saihakko [story ...]     such as path1
# Every skip is printed; under CI=true a skip fails.
set -euo pipefail
SAIHAKKO=$(realpath "$1")
export SAIHAKKO
shift
cd "$(dirname "$0")/browser"

skip() {
  printf 'SKIP: %s\n' "$1"
  [ "${CI:-}" != true ] || exit 1
  exit 0
}

for program in node npm chromium certutil pk12util openssl pdftotext pdfinfo pdftoppm sqlite3; do
  command -v "$program" >/dev/null || skip "stories in the browser: $program is not installed"
done
node -e 'process.exit(Number.parseInt(process.versions.node, 10) < 20 ? 1 : 0)' \
  || skip "stories in the browser: Node $(node --version) is older than 20"

# Only when the lock file changed since the last time.
if ! cmp -s package-lock.json node_modules/.from-lock; then
  npm ci --no-fund --no-audit --loglevel=error || skip 'stories in the browser: npm has no registry'
  cp package-lock.json node_modules/.from-lock
fi

stories=()
for story in "$@"; do stories+=("$story.test.mjs"); done
[ ${#stories[@]} -gt 0 ] || stories=(./*.test.mjs)
play() { node --test --test-reporter=spec --test-timeout=1200000 "$@"; }

told=$(mktemp)
trap 'rm -f "$told"' EXIT
if play --test-concurrency=2 "${stories[@]}" | tee "$told"; then exit 0; fi
# A busy machine makes a browser miss its time; a defect fails again, alone as well.
mapfile -t again < <(sed -n 's/^test at \([a-z0-9.-]*\.test\.mjs\):.*/\1/p
  s/^test at pages\.mjs:.*/pages.ja.test.mjs\npages.en.test.mjs/p' "$told" | sort -u)
[ ${#again[@]} -gt 0 ] || exit 1
printf 'AGAIN: %s\n' "${again[@]}"
play --test-concurrency=1 "${again[@]}"
