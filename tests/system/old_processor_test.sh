#!/usr/bin/env bash
# The program on a processor without AVX, an emulated Nehalem of 2008: it picks the plain kernels,
# trains as on this processor, and evaluates.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

old() { timeout -k 5 "$limit" qemu-x86_64 -cpu Nehalem "$binary" "$@"; }

same_losses() {
  paste -d' ' <(losses "$1") <(losses "$2") | awk '
    { difference = ($2 > $4 ? $2 - $4 : $4 - $2) / $4
      if ($1 != $3 || !(difference <= 1e-4)) { print "step " $1 ": " $2 ", " $4; bad = 1 } }
    END { exit bad || NR != 3 }'
}

about "A processor without AVX"
if ! command -v qemu-x86_64 >/dev/null; then
  skip "qemu-x86_64 is not installed (package qemu-user)"
elif ldd "$binary" | grep -q libasan; then
  skip "sanitizers and qemu do not go together"
else
  setup
  job=(train --config net.ini --data.train train.convoy --run.steps 3 --run.log-every 1
    --device.threads 1 --device.conv minimal)
  expect 0 "3 steps" old "${job[@]}" --run.dir old
  check "the plain kernels are used" contains old/log.txt "SSE2"
  expect 0 "3 steps" convoy "${job[@]}" --run.dir new
  check "losses agree to 1e-4" same_losses old new
  expect 0 "top-1" old eval --run.dir old --data val.convoy --device.threads 1
fi

finish
