#!/usr/bin/env bash
# A rank that is stopped, or killed, in the middle of training ends the job within dist.timeout,
# under every strategy, with the collective and the rank named; the records say where each stood.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

# The rank's record shows it where this test wants it: at a place that fits $place.
at_place() {
  [ -z "$place" ] || "$binary" inspect run/collectives | grep -qE "^ *$1 .* ($place) "
}

# with_lost_rank SIGNAL RANK LINES COMMAND...: starts two ranks of COMMAND, sends SIGNAL to RANK once
# so many lines of metrics are written, and ends as mpirun does.
with_lost_rank() {
  local signal=$1 rank=$2 lines=$3 try
  shift 3
  rm -rf run
  timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none $recovery -n 2 \
    bash -c 'echo $$ >"pid-$OMPI_COMM_WORLD_RANK"; exec "$@"' rank "$binary" "$@" \
    --dist.timeout 3 &
  local job=$!
  for ((try = 0; try < 600; ++try)); do
    if [ -s run/metrics.jsonl ] && [ "$(wc -l <run/metrics.jsonl)" -ge "$lines" ]; then break; fi
    sleep 0.1
  done
  kill "-$signal" "$(cat "pid-$rank")"
  for ((try = 0; try < 2000; ++try)); do
    if at_place "$rank"; then break; fi
    kill -CONT "$(cat "pid-$rank")"
    sleep 0.01
    kill "-$signal" "$(cat "pid-$rank")"
  done
  SECONDS=0
  wait "$job"
  local code=$?
  took=$SECONDS
  return "$code"
}
training=(train --config net.ini --data.train train.convoy --run.dir run --run.steps 1000000)
host=$(uname -n)
recovery=""
place=""

setup
for how in "model" "data" "data --dist.backend mpi"; do
  for rank in 1 0; do
    about "Strategy $how: rank $rank is stopped"
    # shellcheck disable=SC2086 # options and their values
    expect 5 "within 3 seconds: rank $rank on $host" \
      with_lost_rank STOP "$rank" 3 "${training[@]}" --parallel.strategy $how
    check "the sentence tells step and collective" grep -aqE \
      "rank $((1 - rank)) on .*: collective [0-9]+ of ranks 0 and 1, '[a-z0-9-]+' of [0-9]+ bytes \(step" \
      .said
    check "the job ended within 15 seconds" test "$took" -le 15
  done
done

about "A rank is stopped in evaluation"
sed -e 's/^batch = .*/batch = 10/' net.ini >views.ini
place="(conv[1-5]|exchange-conv3) in evaluation"
expect 5 "in evaluation), was not finished within 3 seconds: rank 1 on $host" \
  with_lost_rank STOP 1 6 train --config views.ini --data.train train.convoy --data.val val.convoy \
  --run.dir run --run.steps 1000000 --run.eval-views 10 --parallel.strategy model
place=""

about "A rank is killed, and the launcher ends the job"
with_lost_rank KILL 1 3 "${training[@]}" --parallel.strategy model >/dev/null 2>&1
check "mpirun says that a rank was killed" test "$?" -eq 137
expect 0 "gone without a word" convoy inspect run
check "the record tells the step and the collective" grep -qE \
  "^ *1 +[^ ]+ +[0-9]+ +gone without a word +[0-9]+ .* [0-9]+ [a-z0-9-]+, ranks 0 and 1 +[0-9]+ " .said

about "A rank is killed, and the launcher lets the others live"
recovery="--enable-recovery"
with_lost_rank KILL 1 3 "${training[@]}" --parallel.strategy model >/dev/null 2>err.txt
check "the job ended within 15 seconds" test "$took" -le 15
check "the other rank names it, with step and collective" grep -aqE \
  "rank 0 on .*: collective .* \(step [0-9]+, .*within 3 seconds: rank 1 on $host does not answer" \
  err.txt
recovery=""

about "All ranks are suspended for longer than the limit, and go on"
rm -rf run
timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n 2 \
  bash -c 'echo $$ >"pid-$OMPI_COMM_WORLD_RANK"; exec "$@"' rank "$binary" "${training[@]}" \
  --dist.timeout 3 --parallel.strategy model >/dev/null 2>&1 &
job=$!
lines() { if [ -s run/metrics.jsonl ]; then wc -l <run/metrics.jsonl; else echo 0; fi; }
until_lines() {
  local try
  for ((try = 0; try < 600; ++try)); do
    if [ "$(lines)" -ge "$1" ]; then return 0; fi
    sleep 0.1
  done
  return 1
}
until_lines 3
kill -STOP "$(cat pid-0)" "$(cat pid-1)"
sleep 5
before=$(lines)
kill -CONT "$(cat pid-0)" "$(cat pid-1)"
check "the run goes on" until_lines $((before + 20))
kill -TERM "$job"
wait "$job"

about "A rank that fails ends the others at once, with its code and sentence"
# The reader of rank 1 finds a damaged image where rank 0 finds a whole one.
cp -r train.convoy damaged.convoy
size=$(stat -c %s damaged.convoy/shard-00000.h5)
head -c 64 /dev/zero | tr '\0' '\7' |
  dd of=damaged.convoy/shard-00000.h5 bs=1 seek=$((size / 2)) conv=notrunc status=none
for how in "model" "data"; do
  rm -rf run
  # shellcheck disable=SC2016 # expanded by the ranks
  expect 3 "rank 1 on $host" timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n 2 \
    bash -c 'if [ "$OMPI_COMM_WORLD_RANK" = 1 ]; then mount="damaged"; else mount="train"; fi
      mkdir -p "r$OMPI_COMM_WORLD_RANK"; cd "r$OMPI_COMM_WORLD_RANK"
      ln -sfn "../$mount.convoy" data.convoy; exec "$@"' rank "$binary" train \
    --config "$work/net.ini" --data.train data.convoy --run.dir "$work/run" \
    --run.steps 1000000 --parallel.strategy "$how"
done

about "A run that ends well"
expect 0 "20 steps" ranks 2 train --config net.ini --data.train train.convoy --run.dir well \
  --parallel.strategy data
expect 0 "ended well" convoy inspect well/collectives
check "inspect of the run shows its figures alone" \
  bash -c "'$binary' inspect well | grep -q 'images/s' && ! '$binary' inspect well | grep -q 'left last'"
truncate -s 1000 well/collectives/rank-1
expect 0 "is not a whole record of collectives: it has 1000 bytes" convoy inspect well

about "dist.backend nccl on CPUs"
expect 2 "dist.backend is nccl, but" convoy train --config net.ini --data.train train.convoy \
  --run.dir nccl --dist.backend nccl
finish
