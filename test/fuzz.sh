#!/usr/bin/env bash
# Runs every fuzz target of the tree, those of what anybody can send before a word is believed (SIP, its framing, SDP) for the given time each and the others for half of it,
# as many at once as there are processors, and fails if one has a finding.
#
#   test/fuzz.sh 20s
set -euo pipefail
cd "$(dirname "$0")/.."
export seconds=${1:-20s}

# one runs a target of a folder; what it prints comes in one piece. The fuzzer may run out of its own time while
# it stops: that is no finding.
one() {
  local time=${seconds%s}
  case $1 in sip | sip/transport | media/sdp) ;; *) time=$((time / 2)) ;; esac
  time=${time}s
  if out=$(go test -vet=off -run '^$' -fuzz "^$2\$" -fuzztime "$time" -parallel 1 "./$1" 2>&1) ||
    { grep -q 'context deadline exceeded' <<<"$out" && ! grep -q -e 'Failing input' -e '--- FAIL: .*/' <<<"$out"; }; then
    echo "fuzz $1 $2 $time: $(grep -oE 'execs: [0-9]+' <<<"$out" | tail -n 1)"
  else
    echo "fuzz $1 $2 $time: a finding"$'\n'"$out"
    return 255 # no further target is begun
  fi
}
export -f one

git ls-files '*_test.go' | xargs grep -oE '^func Fuzz[A-Za-z0-9]+' | sort | sed -E 's#^(.*)/[^/]*:func (.*)#\1 \2#' |
  xargs -P "$(nproc)" -L 1 bash -c 'one "$@"' _
