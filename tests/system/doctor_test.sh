#!/usr/bin/env bash
# convoy doctor on a healthy set-up and on broken ones: a line each, and the exit code of the run
# that would have met the fault.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

# finding WHAT PATTERN: a line of what was printed fits the pattern.
finding() {
  cp "$work/.out" printed # check writes there too
  check "$1" grep -qE "$2" printed
}

setup

about "A healthy set-up"
expect 0 "ok    data.train  48 images, the same on all 2 ranks" ranks 2 doctor --config net.ini \
  --data.train train.convoy --data.val val.convoy --run.dir run
check "no finding asks for a repair" absent_text FIX "$work/.said"
for topic in program libraries ranks device clocks links data.train data.val job disk; do
  check "a line about $topic" grep -qE "^ok +$topic " "$work/.said"
done
check "nothing is left of the disk's trial" absent '.convoy-doctor*'
expect 0 '"topic":"links","ok":true' convoy doctor --json --config net.ini

about "A dataset that is missing, and one that is damaged"
expect 3 "should be put right" convoy doctor --config net.ini --data.train nowhere
finding "the line names it" '^FIX +data.train +rank 0 .*nowhere'
cp -r train.convoy damaged.convoy
truncate -s -100000 damaged.convoy/shard-00000.h5
expect 3 "should be put right" ranks 2 doctor --config net.ini --data.train damaged.convoy

about "Ranks that see different datasets under one name"
mkdir seen-0 seen-1
cp -r train.convoy seen-0/data
cp -r val.convoy seen-1/data
other_data() {
  timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n 2 \
    bash -c 'cd "seen-$OMPI_COMM_WORLD_RANK" && exec "$@"' rank "$binary" doctor \
    --config "$work/net.ini" --data.train data
}
expect 3 "should be put right" other_data
finding "the line says so" '^FIX +data.train +rank 1 .*another dataset'

about "A job that could not begin"
expect 3 "should be put right" convoy doctor --config net.ini --data.train train.convoy \
  --solver.batch 500
finding "the line names the batch" '^FIX +job +train.convoy holds 48 images, fewer than'
expect 2 "should be put right" convoy doctor --config net.ini --parallel.strategy model
finding "the line names the strategy" '^FIX +job +strategy model runs on 2 ranks'
expect 2 "should be put right" convoy doctor --config net.ini --device.conv conv9:direct
finding "the line names the layer" "^FIX +job +device.conv names the layer 'conv9'"
expect 3 "should be put right" convoy doctor --config net.ini --data.train train.convoy \
  --model.input 400
finding "the line names the crop" '^FIX +job +train.convoy holds images of .* too small for crops'

about "A run directory that cannot be"
expect 7 "should be put right" convoy doctor --config net.ini --run.dir /proc/run
finding "the line names it" '^FIX +disk '

about "A device that is not there"
expect 2 "should be put right" convoy doctor --config net.ini --device.kind cuda
finding "the line says why" '^FIX +device '

about "Two programs in one job"
cp "$binary" other-convoy
echo >>other-convoy
other_program() {
  timeout -k 5 "$limit" mpirun --oversubscribe --bind-to none -n 1 "$binary" doctor \
    --config net.ini : --oversubscribe --bind-to none -n 1 ./other-convoy doctor --config net.ini
}
expect 2 "should be put right" other_program
finding "the line says so" '^FIX +program +rank 1 '
finish
