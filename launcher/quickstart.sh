#!/usr/bin/env bash
# Installs what is missing, builds Convoy, makes a small dataset, and trains the same net on one rank
# and on two, by model parallelism and by data parallelism; ends with the runs side by side.
set -euo pipefail
cd "$(dirname "$0")/.."

tests/install-debian.sh
cmake --preset release
cmake --build --preset release --target convoy

convoy=build/release/convoy
work=${1:-build/quickstart}
rm -rf "$work"
mkdir -p "$work"

# Containers often run as root, which Open MPI refuses unless told that it is meant.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

"$convoy" synth --output "$work/images"
"$convoy" pack --input "$work/images/train" --output "$work/train" --size 72
"$convoy" pack --input "$work/images/val" --output "$work/val" --size 72 --classes "$work/train"
train=(train --config configs/quickstart.ini --data.train "$work/train" --data.val "$work/val"
  --device.threads 1)
"$convoy" "${train[@]}" --parallel.strategy single --run.dir "$work/single"
for strategy in model data; do
  mpirun -n 2 --oversubscribe "$convoy" "${train[@]}" --parallel.strategy "$strategy" \
    --run.dir "$work/$strategy"
done
"$convoy" inspect "$work/single" "$work/model" "$work/data"
