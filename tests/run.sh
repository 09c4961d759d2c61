#!/usr/bin/env bash
# Installs what is missing, builds Convoy and passes its tests: the release build under mpirun at 1,
# 2 and 4 ranks, then the same tests with address and undefined-behaviour sanitizers and with GPU code
# emulated on the CPU.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/install-debian.sh
# Without these the tests on hosts and under Slurm skip themselves.
tests/system/cluster/install.sh || echo "The packages of the testbed cannot be installed"
for preset in release asan; do
  cmake --preset "$preset"
  cmake --build --preset "$preset"
  ctest --preset "$preset"
done
