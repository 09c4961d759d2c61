#!/usr/bin/env bash
# A run that is stopped, killed or damaged goes on as if nothing had happened: the same losses, and
# final checkpoints that are the same files, bit for bit.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

setup
steps=120
sed -e 's/^steps = .*/steps = '$steps'/' -e 's/^threads = 1/threads = 1\nconv = minimal/' net.ini >long.ini

# Every run lives in a folder of its own under the same name, so that their configurations, and so
# their checkpoints, can be the same to the last bit.
net=(train --config ../long.ini --data.val ../val.convoy --run.dir run)
job=("${net[@]}" --data.train ../train.convoy
  --solver.schedule plateau --solver.plateau-patience 2 --run.eval-every 7)
in_folder() { # in_folder FOLDER COMMAND...
  local folder=$1
  shift
  mkdir -p "$folder"
  (cd "$folder" && "$@")
}
last_of() { echo "$1/run/checkpoints/step-$(printf %08d "$steps").h5"; }
same_losses() { diff <(losses "$1/run") <(losses "$2/run") && [ "$(losses "$1/run" | wc -l)" = $steps ]; }
evaluations() { grep '"kind":"eval"' "$1/run/metrics.jsonl"; }
same_evaluations() { diff <(evaluations "$1") <(evaluations "$2"); }
same_weights() { cmp "$(last_of "$1")" "$(last_of "$2")"; }
logged() { # logged FOLDER: lines of metrics so far
  if [ -s "$1/run/metrics.jsonl" ]; then wc -l <"$1/run/metrics.jsonl"; else echo 0; fi
}

# reached FOLDER LINES: waits until a run has logged so many lines.
reached() {
  local try
  for ((try = 0; try < 6000; ++try)); do
    if [ "$(logged "$1")" -ge "$2" ]; then return; fi
    sleep 0.005
  done
}
# stopped_once FOLDER SIGNAL WHOM LINES RANKS [options]: starts a run on so many ranks, sends the
# signal to rank WHOM, or to mpirun, once LINES lines are logged, and ends as the run does.
stopped_once() {
  local folder=$1 signal=$2 whom=$3 lines=$4 count=$5
  shift 5
  (
    cd "$folder" || exit 1
    # shellcheck disable=SC2016 # expanded by the ranks
    exec timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n "$count" \
      bash -c 'echo $$ >"pid-$OMPI_COMM_WORLD_RANK"; exec "$@"' rank "$binary" "$@"
  ) &
  local run=$!
  reached "$folder" "$lines"
  if [ "$whom" = mpirun ]; then
    pkill "-$signal" -P "$run" mpirun
  else
    kill "-$signal" "$(cat "$folder/pid-$whom")"
  fi
  wait "$run"
}
# The same from where the folder is now, until the signal comes before the run's end: a fast machine
# can be past all steps by the time that this one has seen the lines.
stopped() {
  local folder=$1 code try
  mkdir -p "$folder"
  rm -rf before
  cp -a "$folder" before
  for ((try = 0; try < 10; ++try)); do
    stopped_once "$@"
    code=$?
    if [ "$code" != 0 ]; then break; fi
    rm -rf "$folder"
    cp -a before "$folder"
  done
  return "$code"
}
in_the_middle() { # the run of the folder was stopped before its end
  local at
  at=$(losses "$1/run" | tail -1 | cut -d' ' -f1)
  echo "stopped after step $at"
  [ "$at" -gt 0 ] && [ "$at" -lt "$steps" ]
}

about "Runs that nobody disturbs"
expect 0 "$steps steps" in_folder single convoy "${job[@]}"
expect 0 "$steps steps" in_folder model ranks 2 "${job[@]}" --parallel.strategy model
expect 0 "$steps steps" in_folder data ranks 2 "${job[@]}" --parallel.strategy data
check "the strategies have the same losses" same_losses single model
check "the best checkpoint has a name of its own" test -f model/run/checkpoints/best.h5

about "Stopped by a signal to one rank of two, and started again with --run.dir alone"
for how in "model TERM 0" "model USR1 1" "data INT 1" "data TERM 0"; do
  read -r strategy signal rank <<<"$how"
  folder=$strategy-$signal
  expect 75 "the same command goes on from there" \
    stopped "$folder" "$signal" "$rank" 20 2 "${job[@]}" --parallel.strategy "$strategy"
  check "$folder: in the middle" in_the_middle "$folder"
  expect 0 "$steps steps" in_folder "$folder" ranks 2 train --run.dir run
  check "$folder: the same losses" same_losses "$folder" "$strategy"
  check "$folder: the same evaluations" same_evaluations "$folder" "$strategy"
  check "$folder: the same weights and momentum" same_weights "$folder" "$strategy"
done

about "Stopped by USR1 to mpirun, which passes it on; Adam"
expect 0 "$steps steps" in_folder adam ranks 2 "${job[@]}" --solver.kind adam
expect 75 "the same command goes on from there" \
  stopped adam-USR1 USR1 mpirun 20 2 "${job[@]}" --solver.kind adam
expect 0 "$steps steps" in_folder adam-USR1 ranks 2 "${job[@]}" --solver.kind adam
check "the same losses" same_losses adam-USR1 adam
check "the same weights and moments" same_weights adam-USR1 adam

about "From model to data to single and back to model"
expect 75 "goes on from there" stopped mixed TERM 1 15 2 "${job[@]}" --parallel.strategy model
expect 75 "goes on from there" \
  stopped mixed TERM 0 40 2 train --run.dir run --parallel.strategy data
expect 75 "goes on from there" \
  stopped mixed USR1 0 60 1 train --run.dir run --parallel.strategy single
expect 0 "$steps steps" in_folder mixed ranks 2 train --run.dir run --parallel.strategy model
check "the same losses" same_losses mixed model
check "the same weights and momentum" same_weights mixed model

about "USR2: a checkpoint, and on"
on_request() { # the first signal asks for a checkpoint, the second ends the run
  (
    reached asked 20
    kill -USR2 "$(cat asked/pid-1)"
    for ((try = 0; try < 600; ++try)); do
      if contains asked/run/log.txt "a checkpoint is due"; then break; fi
      sleep 0.05
    done
    kill -TERM "$(cat asked/pid-0)"
  ) &
  stopped asked CONT 0 20 2 "${job[@]}" --run.steps 1000000 --run.keep 0
}
expect 75 "goes on from there" on_request
asked_for() { # the checkpoint that the log says was due
  local step
  step=$(sed -n 's/.*a checkpoint is due after step \([0-9]*\),.*/\1/p' asked/run/log.txt)
  test -f "asked/run/checkpoints/step-$(printf %08d "$step").h5"
}
check "it is there" asked_for

about "Checkpoints by the clock"
by_clock=("${net[@]}" --data.train ../train.convoy --run.steps 18 --run.keep 0 --run.keep-best false
  --parallel.strategy model)
checkpoints_of() { find "$1/run/checkpoints" -name 'step-*' -printf '%f\n' | sort | tr '\n' ' '; }
expect 0 "18 steps" in_folder hours ranks 2 "${by_clock[@]}" --run.checkpoint-minutes 600
check "none but those of the epochs before its time" test "$(checkpoints_of hours)" = \
  "step-00000006.h5 step-00000012.h5 step-00000018.h5 "
expect 0 "18 steps" in_folder moments ranks 2 "${by_clock[@]}" --run.checkpoint-minutes 1e-7
check "others in between when it is due" test "$(checkpoints_of moments | wc -w)" -gt 3
check "the log says why" grep -q "a checkpoint is due after step [0-9]*, by" moments/run/log.txt
from_the_clock() { # the newest that is of no epoch's end, as if the run had been killed after it
  local name last
  last=$(checkpoints_of moments | tr ' ' '\n' | grep -E '.' | grep -vE '(06|12|18).h5' | tail -1)
  [ -n "$last" ] || return 1
  for name in $(checkpoints_of moments); do
    if [[ "$name" > "$last" ]]; then rm "moments/run/checkpoints/$name"; fi
  done
}
check "one of them is the newest" from_the_clock
expect 0 "18 steps" in_folder moments ranks 2 train --run.dir run
check "the same losses after it" diff <(losses hours/run) <(losses moments/run)

about "Killed without warning"
killed() { # the run itself, without mpirun
  mkdir -p killed
  (cd killed && exec "$binary" "${job[@]}") &
  local run=$!
  reached killed 20
  kill -KILL "$run"
  wait "$run"
  [ "$?" = 137 ]
}
check "it was running" killed
expect 0 "$steps steps" in_folder killed convoy train --run.dir run
check "the same losses, each step once" same_losses killed single
check "the same evaluations, each once" same_evaluations killed single
check "the same weights and momentum" same_weights killed single
check "no half-written file is left" absent "killed/run/checkpoints/*.partial"
expect 0 "the run is already finished: $steps steps" in_folder killed convoy train --run.dir run

about "Damaged checkpoints"
damage() { printf 'x' | dd of="$1" bs=1 seek=5000 conv=notrunc status=none; }
expect 75 "goes on from there" stopped damaged TERM 0 30 1 "${job[@]}"
newest=$(find damaged/run/checkpoints -name 'step-*' | sort | tail -1)
damage "$newest"
says() { "$@" 2>&1; } # warnings, on standard output
expect 0 "is damaged: its content and its seal differ" says in_folder damaged convoy train --run.dir run
check "the same losses" same_losses damaged single
check "the same weights and momentum" same_weights damaged single
for file in damaged/run/checkpoints/step-*.h5; do damage "$file"; done
cp damaged/run/metrics.jsonl before.jsonl
expect 4 "no checkpoint in run/checkpoints is whole" in_folder damaged convoy train --run.dir run
check "the metrics are untouched" cmp before.jsonl damaged/run/metrics.jsonl
rm damaged/run/checkpoints/step-*.h5
expect 0 "$steps steps" in_folder damaged convoy train --run.dir run
check "without checkpoints it starts again: the same losses" same_losses damaged single

about "What may not change"
refuse() { expect 2 "$1" in_folder single convoy train --run.dir run "${@:2}"; }
refuse "--run.seed is 1 for the run in run, and cannot become 2" --run.seed 2
refuse "--solver.batch is 8 for the run in run, and cannot become 16" --solver.batch 16
refuse "--recipe is paper for the run in run, and cannot become caffe" --recipe caffe
refuse "../val.convoy is not the dataset that the run in run was trained on" \
  --data.train ../val.convoy
expect 0 "the run is already finished" in_folder single convoy "${job[@]}" --device.threads 2

about "Two processes on one run"
convoy_twice() {
  (
    reached twice 5
    cd twice && convoy train --run.dir run >../second.out 2>../second.err
    echo $? >../second.code
  ) &
  local second=$!
  stopped twice TERM 0 300 1 "${job[@]}" --run.steps 1000000
  local code=$?
  wait "$second"
  return "$code"
}
expect 75 "goes on from there" convoy_twice
check "the second is refused" test "$(cat second.code)" = 2
check "and told who is there" grep -q "another process is training in run (process [0-9]* on " second.err

about "A second interrupt ends a process at once"
twice_interrupted() {
  mkdir -p interrupted
  (cd interrupted && exec "$binary" "${job[@]}" --run.steps 1000000) &
  local run=$!
  reached interrupted 5
  kill -STOP "$run" # so that both come before the first is heeded
  kill -INT "$run"
  kill -CONT "$run"
  kill -INT "$run"
  wait "$run"
  local code=$?
  echo "exit code $code"
  [ "$code" = 130 ] || [ "$code" = 75 ] # 75: it was quicker than the second signal
}
check "130 by the signal itself" twice_interrupted

about "A terminal that closes, and words that nobody reads"
expect 75 "goes on from there" stopped hung-up HUP 0 20 1 "${job[@]}" --run.steps 1000000
unread() {
  mkdir -p unread
  (
    cd unread || exit 1
    # shellcheck disable=SC2016 # expanded by the shell that becomes the run
    bash -c 'echo $$ >pid; exec "$@"' run "$binary" "${job[@]}" --run.steps 1000000 2>&1
    echo $? >code
  ) | head -c 1 >/dev/null &
  reached unread 60
  kill -TERM "$(cat unread/pid)"
  wait
  test "$(cat unread/code)" = 75
}
check "a run whose output is cut goes on, and stops with a checkpoint" unread

about "Other images to validate by, and other threads for direct convolution"
expect 0 "6 steps" in_folder watched convoy "${net[@]}" --data.train ../train.convoy \
  --device.conv direct --device.threads 1 --run.steps 6
expect 2 "is not the validation set that the run was evaluated on" \
  in_folder watched convoy train --run.dir run --run.steps 12 --data.val ../train.convoy
expect 2 "run.eval-views is 1 for the run" \
  in_folder watched convoy train --run.dir run --run.steps 12 --run.eval-views 10
expect 0 "12 steps" in_folder watched convoy train --run.dir run --run.steps 12 --device.threads 2
check "the log says that sums are rounded otherwise" grep -q \
  "trained with 1 threads in a rank and goes on with 2" watched/run/log.txt

about "A vanished dataset, and a disk that fills up"
vanishing() {
  cp -r train.convoy vanishing.convoy
  (
    reached vanished 30
    truncate -s 5000 vanishing.convoy/shard-00000.h5
  ) &
  in_folder vanished ranks 2 "${net[@]}" --data.train ../vanishing.convoy --parallel.strategy model \
    --run.steps 1000000
}
expect 3 "shard-00000.h5" vanishing
whole() { # the newest checkpoint of a folder
  convoy inspect "$(find "$1/run/checkpoints" -name 'step-*' | sort | tail -1)"
}
check "the newest checkpoint is whole" whole vanished
check "it is that of the last step" test "$(losses vanished/run | tail -1 | cut -d' ' -f1)" = \
  "$((10#$(find vanished/run/checkpoints -name 'step-*' | sort | tail -1 | sed 's/.*step-//; s/.h5//')))"
mkdir disk
if mount -t tmpfs -o size=900k tmpfs disk 2>/dev/null; then
  mounted=$work/disk
  expect 7 "No space left on device" in_folder disk ranks 2 "${job[@]}" --run.keep 0 \
    --parallel.strategy model
  check "the newest checkpoint is whole" whole disk
  check "no half-written file is left" absent "disk/run/checkpoints/*.partial"
  mount -o remount,size=8m "$mounted"
  expect 0 "$steps steps" in_folder disk ranks 2 train --run.dir run --run.keep 2
  check "with room it goes on: the same losses" same_losses disk model
else
  skip "a small file system cannot be mounted here"
fi
finish
