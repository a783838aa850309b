#!/usr/bin/env bash
# Takes the pictures in this folder anew:
#   docs/screens/make.sh target/debug/saihakko
# Needs what tests/browser.sh needs; ImageMagick, where there is one, makes the files small.
set -euo pipefail
SAIHAKKO=$(realpath "$1")
export SAIHAKKO
here=$(realpath "$(dirname "$0")")
cd "$here/../../tests/browser"
cmp -s package-lock.json node_modules/.from-lock || npm ci --no-fund --no-audit --loglevel=error
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
node screens.mjs "$fresh"
rm -f "$here"/*.png
for picture in "$fresh"/*.png; do
  name=$(basename "$picture")
  if command -v convert >/dev/null; then
    # Few colours, and none but the pixels: pictures of pages need no more.
    convert "$picture" -strip -dither None -colors 48 -define png:compression-level=9 \
      -define png:compression-filter=0 "PNG8:$here/$name"
  else
    cp "$picture" "$here/$name"
  fi
done
du -sh "$here"
