#!/usr/bin/env bash
# What a person meets who asks for a GPU: sentences where there is none, training where there is.
source "$(dirname "$0")/common.sh"

small=(--model.input 71 --model.kernels 32,32,48,48,32 --model.neurons 64,48 --solver.batch 8
  --device.threads 1 --steps 1 --warmup 1)

about "without a GPU"
expect 0 "threads" env CUDA_VISIBLE_DEVICES= CONVOY_EMULATED_GPUS=0 "$binary" bench "${small[@]}"
expect 2 "device.kind is cuda, but" env CUDA_VISIBLE_DEVICES= CONVOY_EMULATED_GPUS=0 \
  "$binary" bench "${small[@]}" --device.kind cuda
expect 2 "the CPU computes in fp32 only" convoy bench "${small[@]}" --device.kind cpu \
  --device.precision bf16
expect 2 "device.precision" convoy bench --device.precision half

export CONVOY_EMULATED_GPUS=1
if ! convoy bench "${small[@]}" --device.kind cuda >/dev/null 2>&1; then
  skip "no GPU here, and no emulated one"
  finish
fi

about "a dataset, and training on a GPU, alone and shared by two ranks"
expect 0 "" convoy synth --output images --train-images 4 --val-images 1
expect 0 "" convoy pack --input images/train --output train --size 72
job=(train --data.train train --model.input 71 --model.kernels 32,32,48,48,32 --model.neurons 64,48
  --solver.batch 8 --run.steps 2 --run.log-every 1 --device.kind cuda --device.threads 1)
for precision in fp32 tf32 bf16; do
  expect 0 "" convoy "${job[@]}" --device.precision "$precision" --run.dir "one-$precision"
  for strategy in model data; do
    expect 0 "" ranks 2 "${job[@]}" --device.precision "$precision" --dist.backend mpi \
      --parallel.strategy "$strategy" --run.dir "$strategy-$precision"
  done
done
expect 0 "top-1" convoy eval --run.dir one-bf16 --data train --device.kind cuda
expect 0 "top-1" convoy eval --run.dir one-bf16 --data train --device.kind cpu

about "kernels that were chosen are kept, and can be asked for"
expect 0 "" test -s one-bf16/kernels.txt
expect 0 "" convoy "${job[@]}" --device.precision bf16 --device.kernels one-bf16/kernels.txt \
  --run.dir again
expect 0 "" cmp one-bf16/kernels.txt again/kernels.txt
expect 2 "cannot be read" convoy "${job[@]}" --device.kernels nowhere.txt --run.dir nowhere
echo "no tab here" >broken.txt
expect 2 "names no kernel" convoy "${job[@]}" --device.kernels broken.txt --run.dir nowhere
expect 2 "made for CPUs" convoy "${job[@]}" --device.conv minimal --run.dir nowhere

about "two ranks and one GPU, which NCCL cannot share"
expect 2 "each rank needs its own" ranks 2 "${job[@]}" --run.dir nowhere

finish
