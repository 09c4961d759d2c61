#!/usr/bin/env bash
# Bad input: every damaged, foreign or missing dataset and image is named in one sentence, with exit
# code 3 for bad data and 2 for wrong use, and nothing half-written stays behind.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

# train_on DATASET [options]: on one rank
train_on() {
  local dataset=$1
  shift
  convoy train --config net.ini --data.train "$dataset" --run.dir run "$@"
}

# refused TEXT DATASET [options]: exit code 3 and no run directory
refused() {
  local text=$1
  shift
  rm -rf run
  expect 3 "$text" train_on "$@"
  check "no run directory was made" absent run
}

copy() { # copy NAME: a copy of the training set
  rm -rf "$1"
  cp -r train.convoy "$1"
}

# Overwrites three bytes of a file.
damage() { printf '\252\125\252' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

no_partials() { absent "$1/*.partial" && absent "$1/*/*.partial"; }
reports() { # reports DATASET FILE LEFT_OUT TEXT: the report has a line on the file
  grep -F "\"file\":\"$2\",\"left_out\":$3" "$1/report.jsonl" | grep -F -- "$4"
}

setup
h5py=$(find_h5py)

about "Datasets that are none"
refused "nowhere is not a dataset: it has no index.h5" nowhere
refused "images is not a dataset: it has no index.h5" images
refused "nowhere is not a dataset" train.convoy --data.val nowhere
mkdir text
echo "not HDF5" >text/index.h5
refused "text/index.h5 is cut short or was not written by Convoy" text
: >text/index.h5
refused "text/index.h5 is cut short or was not written by Convoy" text
mkdir foreign
convoy train --config net.ini --data.train train.convoy --run.dir other --run.steps 1 \
  >/dev/null 2>&1
cp other/checkpoints/step-00000001.h5 foreign/index.h5
refused "foreign/index.h5 cannot be used: its format is 'convoy-checkpoint/2'" foreign
if [ -n "$h5py" ]; then
  "$h5py" -c 'import h5py; h5py.File("foreign/index.h5", "w")["values"] = [1, 2]'
  refused "foreign/index.h5 is cut short or was not written by Convoy" foreign
else
  skip "an HDF5 file of somebody else needs h5py, which is not here"
fi
rm -rf run
expect 3 "nowhere is not a dataset" ranks 2 train --config net.ini --data.train nowhere \
  --run.dir run

about "Damaged datasets"
copy cut
truncate -s 50000 cut/shard-00000.h5
refused "cannot open cut/shard-00000.h5: it is cut short" cut
truncate -s 0 cut/shard-00000.h5
refused "cannot open cut/shard-00000.h5: it is not an HDF5 file" cut
rm cut/shard-00000.h5
refused "cannot open cut/shard-00000.h5: No such file or directory" cut
copy index
damage index/index.h5 15000
refused "index/index.h5" index
truncate -s 9000 index/index.h5
refused "index/index.h5 is cut short" index
copy swapped
convoy pack --input images/train --output other.convoy --size 32 --seed 2 >/dev/null 2>&1
cp other.convoy/shard-00000.h5 swapped/
refused "swapped/shard-00000.h5 does not belong to this index or is damaged" swapped

copy pixels
damage pixels/shard-00000.h5 30000
rm -rf run
expect 3 "of pixels/shard-00000.h5 is damaged: its checksum is" train_on pixels
rm -rf run
limit=20 # the rank that is well must not wait for ever
expect 3 "of pixels/shard-00000.h5 is damaged: its checksum is" ranks 2 train --config net.ini \
  --data.train pixels --run.dir run
limit=120
check "no half-written file is left in the run directory" no_partials run
rm -rf run
expect 0 "20 steps" train_on pixels --data.verify never
rm -rf run
expect 3 "of pixels/shard-00000.h5 is damaged" train_on train.convoy --data.val pixels

if [ -n "$h5py" ]; then
  for label in 4 -1; do
    copy labels
    "$h5py" -c "import h5py; h5py.File('labels/shard-00000.h5', 'r+')['labels'][3] = $label"
    refused "image 3 of labels/shard-00000.h5 has the label $label, but the dataset has 4 classes" \
      labels
  done
  copy labels
  "$h5py" -c 'import h5py
labels = h5py.File("labels/shard-00000.h5", "r+")["labels"]
labels[3] = (labels[3] + 1) % 4'
  refused "the checksum of its labels and image checksums differs" labels
else
  skip "labels out of range need h5py, which is not here"
fi

about "Another copy of the dataset on another rank"
mkdir here there
cp -r train.convoy here/data
cp -r other.convoy there/data
two_folders() {
  local job=("$binary" train --config "$work/net.ini" --data.train data --run.dir run)
  timeout -k 5 20 mpirun --oversubscribe --bind-to none -n 1 -wdir "$work/here" "${job[@]}" : \
    -n 1 -wdir "$work/there" "${job[@]}"
}
expect 3 "data is another dataset here than on rank 0" two_folders

about "Datasets that do not fit the run"
refused "images of 32 x 32 pixels, too small for crops of 40 x 40" train.convoy --model.input 40
refused "train.convoy holds 48 images, fewer than one global batch of 64" train.convoy \
  --solver.batch 64
cp -r images/val fewer
rm -r fewer/003-*
convoy pack --input fewer --output fewer.convoy --size 32 >/dev/null 2>&1
refused "the training set has 4 classes but fewer.convoy has 3" train.convoy --data.val fewer.convoy
cp -r images/val renamed
mv renamed/001-* renamed/001-other
convoy pack --input renamed --output renamed.convoy --size 32 >/dev/null 2>&1
refused "class 1 is '001-columns' in the training set but '001-other' in renamed.convoy" \
  train.convoy --data.val renamed.convoy
expect 3 "class 1 is '001-columns' in the training set but '001-other' in renamed.convoy" \
  convoy eval --run.dir other --data renamed.convoy
expect 3 "the class folder renamed/001-other is not in the class list train.convoy" \
  convoy pack --input renamed --output packed --size 32 --classes train.convoy
convoy pack --input images/val --output small.convoy --size 24 >/dev/null 2>&1
expect 3 "too small for crops of 28 x 28" convoy eval --run.dir other --data small.convoy

about "Folders that cannot be packed"
mkdir -p empty/cat empty/dog none loose deep/train/cat text-only/cat
cp images/val/001-*/00000.jpg empty/cat/
expect 3 "the class folder empty/dog is empty" convoy pack --input empty --output packed
expect 3 "the input none has no class folders" convoy pack --input none --output packed
cp images/val/001-*/00000.jpg loose/
expect 3 "the input loose has no class folders" convoy pack --input loose --output packed
expect 3 "the input nowhere is not a folder, tar or list of images" convoy pack --input nowhere --output packed
expect 3 "is deep/train the input?" convoy pack --input deep --output packed
echo "a note" >text-only/cat/note.txt
expect 3 "none of the 1 files in text-only is an image that can be used" \
  convoy pack --input text-only --output packed
check "no dataset was made" absent "packed/*"
expect 3 "cannot read the class list nowhere.txt" \
  convoy pack --input images/val --output packed --classes nowhere.txt
expect 2 "the output train.convoy holds a dataset already" \
  convoy pack --input images/train --output train.convoy
expect 2 "the output net.ini is a file" convoy pack --input images/train --output net.ini
expect 2 "must not lie in the input" convoy pack --input images/train --output images/train/packed
expect 2 "--size must be" convoy pack --input images/train --output packed --size 0
expect 7 "cannot create the folder /proc/convoy" \
  convoy pack --input images/train --output /proc/convoy

about "Images that are left out or converted, and the report on them"
mkdir -p mixed/cat mixed/dog/folder
cp images/train/000-*/0000[0-3].jpg mixed/cat/
cp images/train/001-*/0000[0-3].jpg mixed/dog/
echo "garbage" >mixed/cat/garbage.jpg
: >mixed/cat/empty.jpg
head -c 700 mixed/cat/00000.jpg >mixed/cat/cut.jpg
ln -s nowhere.jpg mixed/cat/dangling.jpg
{ printf '\377\330\377\340' && head -c 300 /dev/zero; } >mixed/dog/header.jpg
base64 -d >mixed/dog/png.JPEG <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAbElEQVR42g3JQQEAMAgDMZSgpEqqhOepQAlKqmjLN1VF
FypcTLHFFSmqmm7UuJlmm2vSP0QLCYsRK05EP0wbGZsxa87EP4YeNHiYYYcbMj+WXrR4mWWXW7I/jj50+JhjjztyP0IH
BYcJGy4kPLAsVIH5pgt5AAAAAElFTkSuQmCC
PNG
echo "a note" >mixed/note.txt
expect 0 "mixed.convoy: 9 images in 2 classes" \
  convoy pack --input mixed --output mixed.convoy --size 32
check "what was left out and what was converted is counted" \
  contains "$work/.said" "7 left out, 1 repaired or converted (all in mixed.convoy/report.jsonl)"
check "report: garbage" reports mixed.convoy cat/garbage.jpg true "is neither JPEG nor PNG data"
check "report: an empty file" reports mixed.convoy cat/empty.jpg true "is empty"
check "report: a JPEG cut short" reports mixed.convoy cat/cut.jpg true "is cut short"
check "report: a link to nowhere" reports mixed.convoy cat/dangling.jpg true "is not a file"
check "report: a JPEG without an image" reports mixed.convoy dog/header.jpg true "cannot be decoded"
check "report: a folder in a class folder" reports mixed.convoy dog/folder true "is not a file"
check "report: a file in no class folder" reports mixed.convoy note.txt true "is in no class folder"
check "report: PNG data under a JPEG name, packed" \
  reports mixed.convoy dog/png.JPEG false "PNG data under a JPEG name"
check "report: nothing else" test "$(grep -c '' mixed.convoy/report.jsonl)" = 8
rm -rf run
expect 0 "2 steps" train_on mixed.convoy --run.steps 2

about "What an interrupted convoy pack left behind"
mkdir interrupted
echo "half" >interrupted/shard-00000.h5.partial
rm -rf run
refused "interrupted is not a dataset: it has no index.h5" interrupted
expect 0 "interrupted: 48 images in 4 classes" \
  convoy pack --input images/train --output interrupted --size 32 --shard-images 48
check "no half-written file is left" no_partials interrupted

about "Run directories"
rm -rf run
convoy train --config net.ini --data.train train.convoy --run.dir run --run.steps 2 >/dev/null 2>&1
cp run/metrics.jsonl before.jsonl
for how in convoy "ranks 2"; do
  expect 2 "--solver.lr is 0.002 for the run in run, and cannot become 1: it would be another run" \
    $how train --config net.ini --data.train train.convoy --run.dir run --solver.lr 1
done
check "the run that was there is untouched" cmp before.jsonl run/metrics.jsonl
expect 7 "the run directory /proc/convoy cannot be created" \
  convoy train --config net.ini --data.train train.convoy --run.dir /proc/convoy
expect 7 "the run directory net.ini/run cannot be created" \
  convoy train --config net.ini --data.train train.convoy --run.dir net.ini/run
expect 7 "the run directory /proc/convoy cannot be created" ranks 2 train --config net.ini \
  --data.train train.convoy --run.dir /proc/convoy

finish
