#!/usr/bin/env bash
# What a person meets who asks for a GPU: sentences where there is none, training where there is one
# (in the emulated build there is).
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

job=(train --config net.ini --data.train train.convoy --run.steps 3 --solver.lr 0.0005)

without_gpu() { CUDA_VISIBLE_DEVICES='' CONVOY_EMULATED_GPUS=0 convoy "$@"; }

# near A B TOLERANCE: both runs logged the same steps, with losses that agree relatively.
near() {
  paste -d' ' <(losses "$1") <(losses "$2") | awk -v tolerance="$3" '
    { difference = ($2 > $4 ? $2 - $4 : $4 - $2) / $4
      if ($1 != $3 || !(difference <= tolerance)) { print "step " $1 ": " $2 ", " $4; bad = 1 } }
    END { exit bad || NR != 3 }'
}

setup
about "Without a GPU"
expect 0 "3 steps" without_gpu "${job[@]}" --run.dir cpu
expect 2 "device.kind is cuda, but" without_gpu "${job[@]}" --device.kind cuda --run.dir none
expect 2 "the CPU computes in fp32 only" without_gpu "${job[@]}" --device.precision bf16 --run.dir none
expect 2 "device.precision" convoy "${job[@]}" --device.precision half --run.dir none

export CONVOY_EMULATED_GPUS=1
job+=(--device.kind cuda)
if ! convoy "${job[@]}" --run.dir probe >/dev/null 2>&1; then
  skip "no GPU here, and no emulated one"
  finish
fi

about "On a GPU, alone and shared by two ranks"
for precision in fp32:1e-3 tf32:2e-3 bf16:3e-2; do
  name=${precision%:*} tolerance=${precision#*:}
  expect 0 "3 steps" convoy "${job[@]}" --device.precision "$name" --run.dir "one-$name"
  check "$name trains as the CPU does" near "one-$name" cpu "$tolerance"
  for strategy in model data; do
    expect 0 "3 steps" ranks 2 "${job[@]}" --device.precision "$name" --dist.backend mpi \
      --parallel.strategy "$strategy" --run.dir "$strategy-$name"
    check "$strategy, $name, trains as one rank" near "$strategy-$name" "one-$name" "$tolerance"
  done
done
expect 0 "top-1" convoy eval --run.dir one-bf16 --data val.convoy --device.kind cuda --views 1
expect 0 "top-1" convoy eval --run.dir one-bf16 --data val.convoy --device.kind cpu

about "Kernels that were picked are kept, and taken again"
check "kernels.txt is written" test -s one-bf16/kernels.txt
expect 0 "3 steps" convoy "${job[@]}" --device.precision bf16 --run.dir again \
  --device.kernels one-bf16/kernels.txt
check "the same kernels" cmp one-bf16/kernels.txt again/kernels.txt
expect 2 "cannot be read" convoy "${job[@]}" --device.kernels nowhere.txt --run.dir none
echo "no tab here" >broken.txt
expect 2 "names no kernel" convoy "${job[@]}" --device.kernels broken.txt --run.dir none
expect 2 "made for CPUs" convoy "${job[@]}" --device.conv minimal --run.dir none

about "Two ranks and one GPU, which NCCL cannot share"
expect 2 "would share the GPU" ranks 2 "${job[@]}" --run.dir none

finish
