#!/usr/bin/env bash
# Disks that fill up, at many places of packing and training: exit code 7 and a sentence, nothing
# half-written stays behind, and with room again the same command does its work.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

no_partials() { [ -z "$(find "$1" -name '*.partial')" ]; }
resized() { mount -o "remount,size=$1" disk; }

# fills COMMAND...: the command ends well, or with exit code 7, one sentence and no half-written
# file; counts which in $whole and $full.
fills() {
  local code=0
  "$@" >out.txt 2>err.txt </dev/null || code=$?
  if [ "$code" -eq 0 ]; then
    whole=$((whole + 1))
    return 0
  fi
  full=$((full + 1))
  cat err.txt
  [ "$code" -eq 7 ] && no_partials disk &&
    [ "$(grep -v '^convoy: warning' err.txt | grep -c '^convoy: .*No space left')" -eq 1 ]
}
whole_checkpoints() { # every checkpoint of the run
  local file
  for file in disk/run/checkpoints/*.h5; do
    if [ -e "$file" ]; then convoy inspect "$file" >/dev/null || return 1; fi
  done
}

setup
if [ -c /dev/full ]; then
  to_full() { "$@" >/dev/full; }
  expect 7 "standard output cannot be written" to_full convoy inspect train.convoy
fi
check "a net is trained" convoy train --config net.ini --data.train train.convoy --run.dir run --run.steps 1
mkdir disk
if ! mount -t tmpfs -o size=64k tmpfs disk 2>/dev/null; then
  skip "a small file system cannot be mounted here"
  finish
fi
mounted=$work/disk

about "A full disk"
expect 7 "No space left on device" convoy pack --input images/train --output disk/packed --size 32
check "pack left no shard behind" absent "disk/packed/shard-*"
rm -rf disk/*
expect 7 "No space left on device" convoy synth --output disk/images
rm -rf disk/*
resized 32k
for name in net.safetensors net.onnx net.caffemodel; do
  expect 7 "partial: No space left on device" convoy export --run.dir run --output disk/$name
  check "export left nothing behind" absent "disk/*"
done
resized 64k
train=(train --config net.ini --data.train train.convoy --run.dir disk/run)
# A rank's record of collectives takes 132 KiB, which are taken before the first step.
expect 7 "the record of collectives disk/run/collectives/rank-0 cannot be written: No space" \
  convoy "${train[@]}"
rm -rf disk/*
resized $((64 + 132))k
expect 7 "No space left on device" convoy "${train[@]}"
check "train left no half-written checkpoint" absent "disk/run/checkpoints/*"
check "the steps before it are in metrics.jsonl" \
  grep -q '"kind":"train","step":6,' disk/run/metrics.jsonl
rm -rf disk/*
resized $((64 + 2 * 132))k
expect 7 "No space left on device" ranks 2 "${train[@]}" --parallel.strategy model
check "train on two ranks left no half-written checkpoint" absent "disk/run/checkpoints/*"
rm -rf disk/*
resized 64k
head -c 62000 /dev/zero >disk/other
expect 7 "No space left on device" convoy "${train[@]}"

about "Packing into disks of many sizes"
pack=(pack --input images/train --output disk/packed --size 32 --shard-images 10)
whole=0 full=0
for size in 4 8 16 32 48 64 80 96 112 128 144 160 176 192 208 224 240 256 320 512; do
  rm -rf disk/*
  resized "${size}k"
  check "$size KiB: a whole dataset, or exit code 7 and nothing half-written" \
    fills convoy "${pack[@]}"
  if [ -e disk/packed/index.h5 ]; then continue; fi
  resized 2m
  check "with room it is packed" convoy "${pack[@]}"
done
check "some were too small, some were not ($full, $whole)" [ "$full" -gt 9 -a "$whole" -gt 0 ]

about "Training into disks of many sizes, a checkpoint each step"
train+=(--run.steps 4 --run.checkpoint-every 1 --device.conv minimal)
resized 8m
check "an undisturbed run" convoy "${train[@]}"
mv disk/run plain
same_losses() { diff <(losses plain) <(losses disk/run); }
whole=0 full=0
for size in 64 136 140 144 160 192 224 288 320 384 448 512 576 640 768 1024 2048; do
  rm -rf disk/*
  resized "${size}k"
  check "$size KiB: to its end, or exit code 7 and nothing half-written" fills convoy "${train[@]}"
  check "its checkpoints are whole" whole_checkpoints
  if [ -e disk/run/checkpoints/step-00000004.h5 ]; then continue; fi
  resized 8m
  check "with room it goes on" convoy "${train[@]}"
  check "with the same losses" same_losses
done
check "some were too small, some were not ($full, $whole)" [ "$full" -gt 5 -a "$whole" -gt 0 ]
finish
