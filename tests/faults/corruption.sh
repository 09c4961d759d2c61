#!/usr/bin/env bash
# The long corruption campaign, in the release build and under sanitizers; prints counts by region
# and by kind of damage, and fails where any damage went unseen or ended the reader.
#
#   tests/faults/corruption.sh [CASES [SEED]]    (20000 1)
set -euo pipefail
cd "$(dirname "$0")/../.."
cases=${1:-20000}
seed=${2:-1}
for preset in release asan; do
  if [ ! -f "build/$preset/CMakeCache.txt" ]; then cmake --preset "$preset" >/dev/null; fi
  cmake --build --preset "$preset" --target faults_corruption >/dev/null
  printf '\n%s build, %d cases, seed %d\n' "$preset" "$cases" "$seed"
  "build/$preset/tests/faults/faults_corruption" "$cases" "$seed"
done
