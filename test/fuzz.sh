#!/usr/bin/env bash
# Runs every fuzz target of the tree for the given time each, one after another, and stops at the first finding.
#
#   test/fuzz.sh 20s
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for file in $(git ls-files '*_test.go' | xargs grep -lE '^func Fuzz[A-Z]' | sort); do
  for target in $(grep -ohE '^func Fuzz[A-Za-z0-9]+' "$file" | sed 's/^func //'); do
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$(dirname "$file")" >"$log" 2>&1 || { cat "$log"; exit 1; }
    echo "fuzz $(dirname "$file") $target $time: $(grep -oE 'execs: [0-9]+' "$log" | tail -n 1)"
  done
done
