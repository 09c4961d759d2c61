#!/usr/bin/env bash
# A rank that is stopped in the middle of training ends the job within dist.timeout, under every
# strategy, with the collective and the rank named.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

# Starts two ranks, stops rank 1 once some steps are logged, and ends as mpirun does.
with_stopped_rank() {
  rm -rf run
  timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n 2 \
    bash -c 'echo $$ >"pid-$OMPI_COMM_WORLD_RANK"; exec "$@"' rank "$binary" train \
    --config net.ini --data.train train.convoy --run.dir run --run.steps 1000000 \
    --dist.timeout 3 "$@" &
  local job=$! try
  for ((try = 0; try < 600; ++try)); do
    if [ -s run/metrics.jsonl ] && [ "$(wc -l <run/metrics.jsonl)" -ge 3 ]; then break; fi
    sleep 0.1
  done
  SECONDS=0
  kill -STOP "$(cat pid-1)"
  wait "$job"
  local code=$?
  took=$SECONDS
  return "$code"
}

setup
for how in "model" "data" "data --dist.backend mpi"; do
  about "Strategy $how: rank 1 is stopped"
  # shellcheck disable=SC2086 # options and their values
  expect 5 "was not finished within 3 seconds: rank 1 did not" \
    with_stopped_rank --parallel.strategy $how
  check "the job ended within 15 seconds" test "$took" -le 15
done

about "dist.backend nccl on CPUs"
expect 2 "dist.backend is nccl, but" convoy train --config net.ini --data.train train.convoy \
  --run.dir nccl --dist.backend nccl
finish
