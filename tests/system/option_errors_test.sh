#!/usr/bin/env bash
# Wrong use and failing runs: options, strategies that do not fit, diverging losses, a rank that is
# killed, and bad checkpoints. Each ends soon, with its own exit code and a sentence that helps.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

job=(train --config net.ini --data.train train.convoy --run.dir run)

# refused TEXT [options of train]: on one rank
refused() {
  local text=$1
  shift
  expect 2 "$text" convoy "${job[@]}" "$@"
}

# refused_on RANKS TEXT [options of train]
refused_on() {
  local count=$1 text=$2
  shift 2
  expect 2 "$text" ranks "$count" "${job[@]}" "$@"
}

# refused_ini TEXT, the file on standard input
refused_ini() {
  cat >bad.ini
  expect 2 "$1" convoy train --config bad.ini --data.train train.convoy --run.dir run
}

setup

about "Commands and options that there are not"
expect 2 "no command is given" convoy
expect 2 "there is no command 'trian'; did you mean train?" convoy trian
expect 2 "there is no command 'trian'" convoy help trian
refused "there is no option --solver.bach; did you mean --solver.batch?" --solver.bach 8
refused "there is no option --batch; did you mean --solver.batch?" --batch 8
refused "there is no option --solver; did you mean" --solver 8
refused "'more' is not understood: train takes options only" more
refused "'-x' is not understood" -x
expect 2 "did you mean --checkpoint?" convoy eval --checkpont x
expect 0 "--solver.batch N" convoy help train
expect 0 "--solver.batch N" convoy train --help

about "Values that are missing, malformed or out of range"
refused "--solver.lr needs a value" --solver.lr
refused "--solver.lr needs a value" --solver.lr --run.seed 2
refused "--solver.lr is given twice" --solver.lr 0.1 --solver.lr 0.2
refused "--solver.batch must be a whole number from 1 to 1048576, not '0'" --solver.batch 0
refused "--solver.batch must be a whole number from 1 to 1048576, not '3.5'" --solver.batch 3.5
refused "--solver.batch must be a whole number from 1 to 1048576, not '99999999999999999999'" \
  --solver.batch 99999999999999999999
refused "--solver.lr must be a number of at least 0, not '-1'" --solver.lr -1
refused "--solver.lr must be a number of at least 0, not 'nan'" --solver.lr nan
refused "--model.drop must be a number from 0 to below 1, not '1'" --model.drop 1
refused "--model.kernels must be 5 whole numbers" --model.kernels 16,16
refused "--recipe must be paper, released-2012," --recipe papr
refused "--parallel.strategy must be auto, single, model, data, hybrid or owt, not 'modell'" \
  --parallel.strategy modell
refused "--solver.schedule must be" --solver.schedule sometimes
refused "--run.eval-views must be 1 or 10, not '5'" --run.eval-views 5
refused "--device.conv must be auto, minimal, direct, or a list" --device.conv fast
refused "the net's convolutions are conv1, conv2, conv3, conv4, conv5" --device.conv conv7:direct
refused "minimal filtering of conv1, whose 7 x 7 kernels with stride 2 in 1 group(s) it cannot do" \
  --device.conv minimal --model.conv1-kernel 7 --model.conv1-stride 2
refused "model.lrn-size is 4; the window needs an odd number" --model.lrn-size 4
refused "model.classes is 3, but train.convoy has 4 classes" --model.classes 3
refused "is too small" --model.input 28 --model.conv1-stride 28 --model.pool-round-up false
expect 2 "train needs --data.train DIR" convoy train --config net.ini --run.dir run
expect 2 "train needs --run.dir DIR" convoy train --config net.ini --data.train train.convoy
expect 2 "pack needs --input PATH" convoy pack --output packed
expect 2 "synth needs --output DIR" convoy synth

about "Options that contradict each other"
expect 2 "eval needs either --checkpoint FILE or --run.dir DIR" \
  convoy eval --checkpoint x.h5 --run.dir run
expect 2 "eval needs either --checkpoint FILE or --run.dir DIR" convoy eval
expect 2 "inspect describes either train.convoy or the net that options ask for" \
  convoy inspect train.convoy --model.width 1
refused "set --solver.batch to at least 10" --data.val val.convoy --run.eval-views 10

about "Configuration files"
expect 2 "the file nowhere.ini cannot be read: No such file or directory" \
  convoy train --config nowhere.ini --data.train train.convoy --run.dir run
expect 2 "the file images cannot be read: it is a folder" \
  convoy train --config images --data.train train.convoy --run.dir run
refused_ini "bad.ini: there is no option solver.bach; did you mean solver.batch?" <<'INI'
[solver]
bach = 8
INI
refused_ini "bad.ini: solver.batch must be a whole number from 1 to 1048576, not 'two'" <<'INI'
[solver]
batch = two
INI
refused_ini "bad.ini: line 2 is neither '[section]' nor 'key = value': 'batch 8'" <<'INI'
[solver]
batch 8
INI
refused_ini "bad.ini: solver.batch is given twice" <<'INI'
[solver]
batch = 8
batch = 16
INI
refused_ini "bad.ini: there is no option config; did you mean" <<'INI'
config = other.ini
INI
printf '\357\273\277' | cat - net.ini >marked.ini # as some editors begin a file
expect 0 "2 steps" convoy train --config marked.ini --data.train train.convoy --run.dir marked \
  --run.steps 2
expect 2 "the file /dev/zero cannot be read: it has more than 4 MiB" \
  convoy train --config /dev/zero --data.train train.convoy --run.dir run
mkdir typo
expect 2 "typo holds no run that could go on" convoy train --run.dir typo
check "none of these made a run directory" absent run

about "Strategies that do not fit the ranks, the net or the batch"
refused "strategy model runs on 2 ranks, one for each tower, not 1" --parallel.strategy model
refused_on 3 "strategy model runs on 2 ranks, one for each tower, not 3" --parallel.strategy model
refused_on 2 "strategy single runs on 1 rank, not 2" --parallel.strategy single
refused_on 2 "this net has 1; set --model.towers 2" --parallel.strategy model --model.towers 1
refused_on 2 "set --model.lrn-scope tower" --parallel.strategy model --model.lrn-scope all
refused_on 3 "a global batch of 8 cannot be divided evenly among 3 replicas; set --solver.batch to 6"
refused_on 2 "set --solver.batch to at least 20" --data.val val.convoy --run.eval-views 10 \
  --solver.batch 10
refused_on 2 "there is no option --solver.bach; did you mean --solver.batch?" --solver.bach 8
different_options() {
  timeout -k 5 30 mpirun --oversubscribe --bind-to none -n 1 "$binary" "${job[@]}" : \
    -n 1 "$binary" "${job[@]}" --run.seed 2
}
expect 2 "the options of this rank are not those of rank 0 ('seed = 2' here, 'seed = 1' there)" \
  different_options
under() { # under VARIABLE=VALUE COMMAND...
  local -x "${1?}"
  shift
  "$@"
}
expect 2 "SLURM_NTASKS says that 4 tasks were started, but MPI sees only this one" \
  under SLURM_NTASKS=4 convoy "${job[@]}"
expect 2 "PMI_SIZE says that 2 tasks were started" under PMI_SIZE=2 convoy "${job[@]}"
check "none of these made a run directory" absent run
expect 0 "2 steps" under SLURM_NTASKS=2 ranks 2 "${job[@]}" --run.steps 2
rm -rf run

about "An environment that leaves threads out"
for variable in OMP_THREAD_LIMIT=1 OMP_DYNAMIC=true OMP_MAX_ACTIVE_LEVELS=0; do
  expect 0 "2 steps" under "$variable" convoy "${job[@]}" --run.steps 2 --device.conv direct
  rm -rf run
done
expect 2 "device.threads is 2, but the environment variable OMP_THREAD_LIMIT allows 1" \
  under OMP_THREAD_LIMIT=1 convoy "${job[@]}" --device.threads 2

about "Losses that are no numbers, or explode"
limit=30
expect 6 "at step 2 (epoch 0), after 1." convoy "${job[@]}" --solver.lr 1e6
rm -rf run
expect 6 "the loss became nan at step 2 (epoch 0)" convoy "${job[@]}" --solver.lr 1e30
check "no checkpoint of it was written" absent "run/checkpoints/*"
rm -rf run
expect 6 "the loss became nan at step 2 (epoch 0)" ranks 2 "${job[@]}" --solver.lr 1e30 \
  --parallel.strategy model
rm -rf run
expect 6 "the loss became nan at step 2 (epoch 0)" ranks 2 "${job[@]}" --solver.lr 1e30 \
  --parallel.strategy data
rm -rf run
# The checkpoint after step 1 holds what step 2 could not use.
expect 6 "there is no checkpoint from before" convoy "${job[@]}" --solver.lr 1e30 \
  --run.checkpoint-every 1
rm -rf run
# The learning rate jumps after the first epoch, so step 7 spoils the weights.
expect 6 "the last good checkpoint is run/checkpoints/step-00000006.h5" convoy "${job[@]}" \
  --solver.schedule epochs:1=1e30 --run.checkpoint-every 1 --run.keep 0
rm -rf run
# Step 12 spoils the weights, and the evaluation after it finds out when it is over. Where only the
# newest checkpoint stays, that of step 12 does not push out the last good one.
expect 6 "finite after step 12; most likely" ranks 2 "${job[@]}" --data.val train.convoy \
  --run.eval-views 10 --solver.batch 12 --solver.schedule steps:11:1e30 --run.checkpoint-every 1 \
  --run.keep 1 --parallel.strategy model
check "the last good one is there and whole" convoy inspect run/checkpoints/step-00000011.h5
check "those before it are gone" absent "run/checkpoints/step-0000000*.h5"
rm -rf run
expect 6 "at step 1 (epoch 0), above run.max-loss, which is 0.1; no weight had been changed yet" \
  convoy "${job[@]}" --run.max-loss 0.1
rm -rf run
expect 0 "2 steps" convoy "${job[@]}" --run.steps 2
expect 6 "no checkpoint from before; the newest, run/checkpoints/step-00000002.h5, has these weights" \
  convoy train --run.dir run --run.steps 4 --run.max-loss 0.1
expect 0 "4 steps" convoy train --run.dir run --run.steps 4 --run.max-loss 0 --run.keep 0
expect 6 "the last good checkpoint is run/checkpoints/step-00000002.h5" \
  convoy train --run.dir run --run.steps 6 --run.max-loss 0.1
rm -rf run
limit=120

about "A rank that is killed"
# The process ids of mpirun's ranks.
ranks_of() {
  local process parent
  for process in /proc/[0-9]*; do
    parent=$(sed 's/.*) . \([0-9]*\) .*/\1/' "$process/stat" 2>/dev/null)
    if [ "$parent" = "$1" ] && grep -qz train "$process/cmdline"; then echo "${process#/proc/}"; fi
  done
}
waits() { # waits SECONDS COMMAND...: until the command succeeds
  local left=$(($1 * 10))
  shift
  until "$@"; do
    left=$((left - 1))
    if [ "$left" -lt 0 ]; then return 1; fi
    sleep 0.1
  done
}
gone() { ! kill -0 "$@" 2>/dev/null; }
readable_checkpoints() {
  local file
  for file in run/checkpoints/*.h5; do
    if [ -e "$file" ]; then convoy inspect "$file" || return 1; fi
  done
}
trains() { [ -s run/metrics.jsonl ]; }
for strategy in data model; do
  rm -rf run
  mpirun --oversubscribe --bind-to none -n 2 "$binary" "${job[@]}" --run.steps 100000000 \
    --run.keep 1 --run.log-every 1000 --parallel.strategy "$strategy" >.out 2>.err </dev/null &
  mpirun=$!
  check "$strategy: two ranks train" waits 60 trains
  mapfile -t processes < <(ranks_of "$mpirun")
  check "$strategy: both ranks are found" test "${#processes[@]}" = 2
  kill -9 "${processes[1]:-$mpirun}"
  check "$strategy: the job ends within 20 seconds of kill -9" waits 20 gone "$mpirun"
  if ! gone "$mpirun"; then kill -9 "$mpirun" "${processes[@]}"; fi
  wait "$mpirun"
  code=$?
  check "$strategy: mpirun's exit code $code is not 0" test "$code" -ne 0
  check "$strategy: the other rank is gone too" waits 10 gone "${processes[0]:-$mpirun}"
  check "$strategy: no half-written checkpoint is taken for one" readable_checkpoints
done

about "Checkpoints that are missing, foreign or damaged"
rm -rf run
expect 0 "2 steps" convoy "${job[@]}" --data.val val.convoy --run.steps 2
good=run/checkpoints/step-00000002.h5
evaluated() { # evaluated TEXT CHECKPOINT
  expect 4 "$1" convoy eval --checkpoint "$2" --data val.convoy
}
evaluated "cannot open nowhere.h5: No such file or directory" nowhere.h5
evaluated "net.ini is cut short or was not written by Convoy" net.ini
evaluated "train.convoy/index.h5 is not a checkpoint" train.convoy/index.h5
evaluated "cannot read run: Is a directory" run
: >empty.h5
evaluated "empty.h5 is cut short or was not written by Convoy" empty.h5
head -c 20000 "$good" >cut.h5
evaluated "cut.h5 is cut short or was not written by Convoy" cut.h5
cp "$good" damaged.h5
printf '\252\125\252' | dd of=damaged.h5 bs=1 seek=30000 conv=notrunc status=none
evaluated "damaged.h5 is damaged: its content and its seal differ" damaged.h5
expect 4 "damaged.h5 is damaged" ranks 2 eval --checkpoint damaged.h5 --data val.convoy
expect 4 "damaged.h5 is damaged" convoy inspect damaged.h5
expect 4 "the folder nowhere/checkpoints cannot be read" convoy eval --run.dir nowhere
mkdir -p bare/checkpoints
expect 4 "the folder bare/checkpoints holds no checkpoint" convoy eval --run.dir bare
expect 3 "nowhere is not a dataset" convoy eval --run.dir run --data nowhere
expect 2 "--views must be 1 or 10, not '5'" convoy eval --run.dir run --views 5
expect 2 "set --solver.batch to at least 10" convoy eval --run.dir run --views 10
expect 2 "strategy model runs on 2 ranks" convoy eval --run.dir run --parallel.strategy model
mv val.convoy moved.convoy
expect 3 "val.convoy is not a dataset" convoy eval --run.dir run
expect 0 "19 images of moved.convoy" convoy eval --run.dir run --data moved.convoy
finish
