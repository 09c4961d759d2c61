#!/usr/bin/env bash
# Runs every libFuzzer target in turn from small seeds and prints what each did and found. Needs
# clang (clang, libclang-rt-dev and libomp-dev of one version).
#
#   tests/faults/fuzz.sh [SECONDS [TARGET...]]    (60 seconds each; all)
#
# Inputs that end a target are kept in build/fuzz/found/, and run alone by `fuzz_TARGET FILE`.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(config net classes source labels devkit image seal index shard checkpoint
  safetensors caffemodel features events)

if [ ! -f build/fuzz/CMakeCache.txt ]; then cmake --preset fuzz >/dev/null; fi
cmake --build --preset fuzz >/dev/null
binaries=build/fuzz/tests/faults/fuzz
corpus=build/fuzz/corpus
mkdir -p build/fuzz/found
"$binaries/fuzz_seeds" "$corpus"

printf '%-12s %12s %10s %10s %s\n' target executions inputs "found" "outcome"
status=0
for target in "${targets[@]}"; do
  mkdir -p "$corpus/$target"
  log=build/fuzz/$target.log
  outcome=passed
  "$binaries/fuzz_$target" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=3000 -max_len=20000 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/found/$target-" "$corpus/$target" \
    >"$log" 2>&1 </dev/null || outcome="FAILED: $log"
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  found=$(find build/fuzz/found -name "$target-*" | wc -l)
  printf '%-12s %12s %10s %10s %s\n' "$target" "${executions:-?}" \
    "$(find "$corpus/$target" -type f | wc -l)" "$found" "$outcome"
  [ "$outcome" = passed ] || status=1
done
exit $status
