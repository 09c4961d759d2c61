#!/usr/bin/env bash
# kill -9 of a random rank at a random moment, N times in a row, each time started again by the same
# command, under `model` and under `data` on two ranks: the run ends with the same losses at every
# step and the same final checkpoint, bit for bit, as one that nobody disturbed.
#
#   tests/faults/kill_run.sh [N [SEED [CONVOY]]]    (50 1 build/release/convoy)
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
set -uo pipefail
kills=${1:-50}
RANDOM=${2:-1}
here=$(dirname "$(realpath "$0")")
. "$here/../system/common.sh" "${3:-$here/../../build/release/convoy}"

setup
steps=$((kills * 60 + 1000))
every=3
sed -e "s/^steps = .*/steps = $steps/" -e 's/^threads = 1/threads = 1\nconv = minimal/' net.ini \
  >long.ini
job=(train --config ../long.ini --data.train ../train.convoy --data.val ../val.convoy --run.dir run
  --run.checkpoint-every "$every" --run.keep 3)

logged() { # logged FOLDER: the last step in its metrics
  local last
  last=$(losses "$1/run" 2>/dev/null | tail -1 | cut -d' ' -f1)
  echo "${last:-0}"
}
saved() { # saved FOLDER: the step of its newest checkpoint
  local last
  last=$(find "$1/run/checkpoints" -name 'step-*.h5' 2>/dev/null | sort | tail -1)
  last=${last##*step-}
  last=${last%.h5}
  echo $((10#${last:-0}))
}
unfinished() { # the half-written checkpoints of a folder, each by name and inode
  find "$1/run/checkpoints" -name '*.partial' -printf '%f %i %T@\n' 2>/dev/null
}
random() { echo $(((RANDOM * 32768 + RANDOM) % $1)); } # 0 to $1 - 1

# Starts the run in the background and leaves the ranks' process numbers in pid-RANK.
start() { # start FOLDER STRATEGY
  rm -f "$1"/pid-*
  (
    cd "$1" || exit 1
    # shellcheck disable=SC2016 # expanded by the ranks
    exec timeout -k 5 600 mpirun --oversubscribe --bind-to none -n 2 \
      bash -c 'echo $$ >"pid-$OMPI_COMM_WORLD_RANK"; exec "$@"' rank "$binary" \
      "${job[@]}" --parallel.strategy "$2" >>out 2>>err </dev/null
  ) &
  run=$!
}

# Lets a started run go on for some steps, or into its start, and kills a rank. False where the run
# ended first.
kill_some_rank() { # kill_some_rank FOLDER KILLS-LEFT
  local folder=$1 rank from share target pause
  rank=$(random 2)
  from=$(saved "$folder")
  share=$((2 * (steps - from - 700) / ($2 + 1))) # the last steps may be quicker than this script
  if [ "$(random 10)" -eq 0 ]; then
    target=0 # while it starts
    pause=$(random 1000)
  else
    target=$((from + $(random $((share > 1 ? share : 2)))))
    pause=$(random 60)
  fi
  while kill -0 "$run" 2>/dev/null; do
    if [ -s "$folder/pid-$rank" ] && [ "$(logged "$folder")" -ge "$target" ]; then
      sleep "$(printf '0.%03d' "$pause")"
      kill -9 "$(cat "$folder/pid-$rank")" 2>/dev/null
      return
    fi
    sleep 0.02
  done
  return 1
}

killed_run() { # killed_run FOLDER STRATEGY
  local folder=$1 done=0 starts=0 redone=0 in_checkpoint=0 starting=0 before code last halves halves_before=""
  mkdir -p "$folder"
  while [ "$starts" -lt $((3 * kills + 10)) ]; do
    before=$(logged "$folder")
    start "$folder" "$2"
    starts=$((starts + 1))
    if [ "$done" -lt "$kills" ]; then kill_some_rank "$folder" $((kills - done)); fi
    wait "$run"
    code=$?
    if [ "$code" -eq 0 ]; then break; fi
    done=$((done + 1))
    last=$(logged "$folder")
    redone=$((redone + last - $(saved "$folder")))
    if [ "$last" -le "$before" ]; then starting=$((starting + 1)); fi
    halves=$(unfinished "$folder")
    if [ -n "$halves" ] && [ "$halves" != "$halves_before" ]; then
      in_checkpoint=$((in_checkpoint + 1))
    fi
    halves_before=$halves
  done
  printf '  %s: %d kills, %d restarts, %d steps of %d done again; %d kills fell inside the writing of a checkpoint, %d before a first new step\n' \
    "$2" "$done" $((starts - 1)) "$redone" "$steps" "$in_checkpoint" "$starting"
  checks=$((checks + 1))
  if [ "$code" -eq 0 ] && [ "$done" -ge "$kills" ]; then
    echo "  ok: the run came to its end"
  else
    failed "$folder" "$kills kills and an end with exit code 0" "$done kills, exit code $code"
    tail -5 "$folder/err"
  fi
}

last_of() { printf '%s/run/checkpoints/step-%08d.h5' "$1" "$steps"; }
same_losses() {
  diff <(losses "$1/run") <(losses "$2/run") && [ "$(losses "$1/run" | wc -l)" -eq "$steps" ]
}

for strategy in model data; do
  about "$strategy: $steps steps, a checkpoint every $every, nobody disturbs"
  mkdir -p "$strategy"
  start "$strategy" "$strategy"
  check "it ends" wait "$run"
  about "$strategy: $kills kills"
  killed_run "$strategy-killed" "$strategy"
  check "the same losses at every step" same_losses "$strategy" "$strategy-killed"
  check "the same final checkpoint, bit for bit" cmp "$(last_of "$strategy")" \
    "$(last_of "$strategy-killed")"
  check "no half-written checkpoint is left" absent "$strategy-killed/run/checkpoints/*.partial"
done
finish
