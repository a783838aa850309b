#!/bin/sh
# Breaks every invariant of the workflows once and demands that its test goes red.
# A patch names in its first line ("# red: …") the test that must fail; it applies from the root
# of the repository. Usage: tests/mutants.sh [PART-OF-A-NAME]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cp -R "$root/engine" "$root/workflows" "$work/"
mkdir -p "$work/docs" "$work/templates"
cp -R "$root/docs/states" "$work/docs/"
cp -R "$root/templates/text" "$work/templates/"
cp "$root/Cargo.lock" "$work/"
# The root package stays behind: only the workspace's own tables are kept.
awk '/^\[/ { keep = /^\[(workspace|profile)/ } keep' "$root/Cargo.toml" |
    sed 's/^members = .*/members = ["engine", "workflows"]/' >"$work/Cargo.toml"
unset RUST_BACKTRACE || true
export CARGO_TARGET_DIR="${MUTANTS_TARGET_DIR:-$work/target}" INSTA_UPDATE=no CARGO_INCREMENTAL=1
cd "$work"

walks() {
    cargo test -q --offline -p workflows --test walks "$@"
}

walks >"$work/log" 2>&1 || { cat "$work/log"; echo "the tests are red without any mutant"; exit 2; }
killed=0
survived=0
for patch in "$root"/tests/mutants/*"${1:-}"*.patch; do
    name=$(basename "$patch" .patch)
    test=$(sed -n '1s/^# red: //p' "$patch")
    git apply "$patch"
    if ! walks --no-run >"$work/log" 2>&1; then
        cat "$work/log"
        echo "$name: does not compile"
        exit 2
    fi
    if walks -- --exact "$test" >"$work/log" 2>&1; then
        survived=$((survived + 1))
        echo "$name: SURVIVED $test"
    elif grep -q "^    $test\$" "$work/log"; then
        killed=$((killed + 1))
        echo "$name: killed by $test"
    else
        cat "$work/log"
        echo "$name: the run failed, but not $test"
        exit 2
    fi
    git apply -R "$patch"
done
echo "$killed killed, $survived survived"
[ "$survived" -eq 0 ] && [ "$killed" -gt 0 ]
