#!/usr/bin/env bash
# A run that is asked to stop while one of its ranks waits for images that do not come: it stops, and
# goes on later with the same losses.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

# Rank 0 reads its images slowly, from the 400th read on: two seconds each, 8 to a batch.
# shellcheck disable=SC2016 # expanded by the ranks
slowly='echo $$ >"pid-$OMPI_COMM_WORLD_RANK"
if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then
  exec strace -f -qq -o /dev/null -e trace=pread64 -P train.convoy/shard-00000.h5 \
    -e inject=pread64:delay_enter=2000000:when=400+ "$@"
fi
exec "$@"'
training=(train --config net.ini --data.train train.convoy --data.verify always
  --parallel.strategy model --device.conv minimal)

lines() { if [ -s run/metrics.jsonl ]; then wc -l <run/metrics.jsonl; else echo 0; fi; }
# Starts the run, waits until it has made steps and makes no more, and asks rank 1 to stop.
stopped_in_a_stall() {
  timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n 2 bash -c "$slowly" rank \
    "$binary" "${training[@]}" --run.dir run --run.steps 1000000 &
  local job=$! try before=-1
  for ((try = 0; try < 100; ++try)); do
    sleep 0.5
    if [ "$(lines)" -gt 10 ] && [ "$(lines)" = "$before" ]; then break; fi
    before=$(lines)
  done
  [ "$try" -lt 100 ] && losses run >stalled.txt
  kill -TERM "$(cat pid-1)"
  wait "$job"
}

about "Asked to stop while data stall"
if ! strace -qq -o /dev/null -e trace=none true 2>/dev/null; then
  skip "strace is not installed (package strace), or may not trace here"
else
  setup
  expect 75 "the same command goes on from there" stopped_in_a_stall
  steps=$(losses run | tail -1 | cut -d' ' -f1)
  # A loss is logged during the step after its own, so that one more may come.
  check "it stopped in the stall, and waited for no further batch" \
    test "$(losses run | wc -l)" -le $(($(wc -l <stalled.txt) + 1))
  check "the checkpoint is that of the last step" \
    test -f "run/checkpoints/step-$(printf %08d "$steps").h5"
  all=$((steps + 5))
  expect 0 "$all steps" ranks 2 "${training[@]}" --run.dir run --run.steps $all
  expect 0 "$all steps" ranks 2 "${training[@]}" --run.dir other --run.steps $all
  check "the same losses" diff <(losses run) <(losses other)
fi
finish
