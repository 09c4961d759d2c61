#!/usr/bin/env bash
# One net, seed and dataset under every strategy: the same losses, weights and accuracy, and the
# predicted bytes; the same again from a run's own config.ini.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

job=(train --config net.ini --data.train train.convoy --data.val val.convoy)

same_text_losses() { diff <(losses "$1") <(losses "$2"); }

moved() { # the loss of the run changed by more than agreement could hide
  losses "$1" | awk 'NR == 1 { first = $2 } { d = $2 - first; if (d < 0) d = -d; if (d > 0.05) n++ }
    END { exit !n }'
}

# same_evaluation A B: two JSON lines with the same top1, top5, views and images, and loss to 1e-6.
same_evaluation() {
  local name
  for name in top1 top5 views images; do
    if [ "$(field "$name" <<<"$1")" != "$(field "$name" <<<"$2")" ] || [ -z "$(field "$name" <<<"$1")" ]; then
      printf '%s differs:\n%s\n%s\n' "$name" "$1" "$2"
      return 1
    fi
  done
  awk -v a="$(field loss <<<"$1")" -v b="$(field loss <<<"$2")" 'BEGIN {
    d = (a > b ? a - b : b - a) / b; print a, b; exit !(b > 0 && d <= 1e-6) }'
}

last_evaluation() { grep '"kind":"eval"' "$1/metrics.jsonl" | tail -1; }

# The predicted payload of a strategy on N ranks.
predicted() {
  convoy inspect --config net.ini --model.classes 4 --parallel.ranks "$2" | tr -d , |
    awk -v strategy="$1" '/^[a-z]+ on/ { now = $1 }
      now == strategy && /^data on/ { print $(NF - 1) }
      now == strategy && $1 == "sum" { print $2 }'
}

moved_bytes() { sed -n 's/.*"comm_bytes":\([0-9]*\).*/\1/p' "$1/metrics.jsonl" | sort -u; }

same_bytes() { # same_bytes RUN STRATEGY RANKS: at every step
  local here there
  here=$(moved_bytes "$1")
  there=$(predicted "$2" "$3")
  echo "moved $here, predicted $there"
  [ -n "$there" ] && [ "$here" = "$there" ]
}

checkpoint() { echo "$1/checkpoints/step-00000020.h5"; }

different_weights() { ! same_weights "$@"; }

checkpoints_of() { (cd "$1/checkpoints" && echo *); }
holds() { # holds RUN NAMES: exactly these checkpoints
  echo "$(checkpoints_of "$1") instead of $2"
  [ "$(checkpoints_of "$1")" = "$2" ]
}

setup
# Not auto: what one run times as quicker, another may not.
sed -i 's/^threads = 1$/&\nconv = minimal/' net.ini

about "The same run under every strategy, dropout and augmentation on"
expect 0 "20 steps, 3 epochs" convoy "${job[@]}" --run.dir single
expect 0 "20 steps, 3 epochs" ranks 2 "${job[@]}" --run.dir model --parallel.strategy model
expect 0 "20 steps, 3 epochs" ranks 2 "${job[@]}" --run.dir data2 --parallel.strategy data
expect 0 "20 steps, 3 epochs" ranks 4 "${job[@]}" --run.dir data4
expect 0 "20 steps, 3 epochs" ranks 4 "${job[@]}" --run.dir hybrid --parallel.strategy hybrid
expect 0 "20 steps, 3 epochs" ranks 4 "${job[@]}" --run.dir owt --parallel.strategy owt
expect 0 "20 steps, 3 epochs" ranks 4 "${job[@]}" --run.dir turns --parallel.strategy owt \
  --parallel.owt-scheme turns
check "four ranks without a strategy are strategy data, and config.ini says so" \
  contains data4/config.ini "strategy = data"
check "one rank without a strategy is strategy single, and config.ini says so" \
  contains single/config.ini "strategy = single"
check "the loss moves" moved single
for run in model data2 data4 hybrid; do
  check "losses of $run agree with those of single to 1e-4 at each of 20 steps" \
    same_losses "$run" single 1e-4
  check "the last evaluation of $run agrees with that of single" \
    same_evaluation "$(last_evaluation "$run")" "$(last_evaluation single)"
done
# On 4 ranks owt adds in another order, and one near tie of pooling that falls the other way parts
# two runs of so small a net; tests/dist/equality_test.cpp compares tensors, where there is none.
for run in owt turns; do
  check "losses of $run are those of single but for rounding that grows" \
    same_losses "$run" single 5e-2
done
expect 0 "model and single have the same losses to the last bit" convoy inspect single model data2 data4 \
  hybrid owt turns

about "Another seed, no dropout, or no augmentation: other losses (the comparison can fail)"
for other in "--run.seed 2" "--model.drop 0" "--data.mirror false" "--data.random-crop false"; do
  rm -rf other
  # shellcheck disable=SC2086 # an option and its value
  expect 0 "20 steps" convoy train --config net.ini --data.train train.convoy --run.dir other $other
  check "$other changes the losses" eval '! same_losses other single 1e-4'
done

about "Weights in the final checkpoints"
h5py=$(find_h5py)
if command -v h5diff >/dev/null || [ -n "$h5py" ]; then
  expect 0 "20 steps" convoy train --config net.ini --data.train train.convoy --run.dir frozen \
    --solver.lr 0
  check "weights moved by more than 1e-3" \
    different_weights "$(checkpoint frozen)" "$(checkpoint single)" 1e-3
  for run in model data2 data4 hybrid; do
    check "weights of $run agree with those of single to 1e-5" \
      same_weights "$(checkpoint "$run")" "$(checkpoint single)" 1e-5
  done
else
  skip "comparing weights needs h5diff (Debian: hdf5-tools) or h5py, and neither is here"
fi

about "Bytes exchanged in a step, as convoy inspect predicts"
check "single exchanges nothing" test "$(moved_bytes single)" = 0
check "model on 2 ranks" same_bytes model model 2
check "data on 2 ranks" same_bytes data2 data 2
check "data on 4 ranks" same_bytes data4 data 4
check "hybrid on 4 ranks" same_bytes hybrid hybrid 4
check "owt on 4 ranks" same_bytes owt owt 4
check "owt on 4 ranks, one after the other" same_bytes turns owt 4

about "A checkpoint of two towers, made on four ranks, evaluated on one, two and four"
trained=$(checkpoint owt)
for views in 1 10; do
  asked=(eval --checkpoint "$trained" --views "$views" --json --solver.batch)
  one=$(convoy "${asked[@]}" 20 2>/dev/null)
  check "views $views: two ranks under model give the figures of one rank" same_evaluation \
    "$(ranks 2 "${asked[@]}" 20 --parallel.strategy model 2>/dev/null)" "$one"
  check "views $views: two ranks under data give the figures of one rank" same_evaluation \
    "$(ranks 2 "${asked[@]}" 20 --parallel.strategy data 2>/dev/null)" "$one"
  for strategy in "hybrid" "owt" "owt --parallel.owt-scheme turns"; do
    # shellcheck disable=SC2086 # a strategy and an option of it
    check "views $views: four ranks under $strategy give the figures of one rank" same_evaluation \
      "$(ranks 4 "${asked[@]}" 40 --parallel.strategy $strategy 2>/dev/null)" "$one"
  done
  check "views $views: all 19 images are counted" test "$(field images <<<"$one")" = 19
done
check "one rank, one view: the figures of the run's own last evaluation" same_evaluation \
  "$(convoy eval --run.dir owt --json 2>/dev/null)" "$(last_evaluation owt)"
check "10 views differ from 1 view" test "$(field loss <<<"$one")" != \
  "$(last_evaluation owt | field loss)"

about "A run again from its own config.ini"
expect 0 "20 steps, 3 epochs" convoy train --config single/config.ini --run.dir single-again
check "single: the same losses to the last bit" same_text_losses single single-again
expect 0 "20 steps, 3 epochs" ranks 2 train --config model/config.ini --run.dir model-again
check "model: the same losses to the last bit" same_text_losses model model-again
check "nothing but run.dir differs in config.ini" \
  diff <(grep -v '^dir' model/config.ini) <(grep -v '^dir' model-again/config.ini)

about "Checkpoints: at the end of each epoch of 6 steps and every run.checkpoint-every steps"
few=(train --config net.ini --data.train train.convoy --run.steps 14
  --device.conv "$(sed -n 's/^conv = //p' single/config.ini)") # not timed anew
expect 0 "14 steps, 2 epochs" convoy "${few[@]}" --run.dir all --run.checkpoint-every 4 --run.keep 0
check "run.keep 0 keeps all" holds all \
  "step-00000004.h5 step-00000006.h5 step-00000008.h5 step-00000012.h5 step-00000014.h5"
expect 0 "14 steps, 2 epochs" ranks 2 "${few[@]}" --parallel.strategy model --run.dir newest \
  --run.checkpoint-every 4 --run.keep 2
check "run.keep 2 keeps the newest two" holds newest "step-00000012.h5 step-00000014.h5"
check "checkpoints in between do not change the run" \
  diff <(losses all) <(losses single | head -14)
finish
