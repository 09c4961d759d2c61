#!/usr/bin/env bash
# Faults at every system call that writes, of the libraries and of the program: checkpoints,
# `convoy pack` and `convoy train`; prints counts by fault. Some minutes.
#
#   tests/faults/system_calls.sh [PRESET]    (release)
set -euo pipefail
cd "$(dirname "$0")/../.."
preset=${1:-release}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}" # as it cannot under a tracer
if [ ! -f "build/$preset/CMakeCache.txt" ]; then cmake --preset "$preset" >/dev/null; fi
cmake --build --preset "$preset" --target faults_system_calls convoy >/dev/null
if [ -d /dev/shm ]; then # syncing memory costs nothing
  TMPDIR=$(mktemp -d /dev/shm/convoy-faults.XXXXXX) # with what killed processes leave there
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
fi
"build/$preset/tests/faults/faults_system_calls" "build/$preset/convoy"
