#!/usr/bin/env bash
# Ways of reading: other tools' shards, blocks, past the page cache, shared by tower ranks. Losses
# that must be the same are the same; the loader's benchmark names a part.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

same_losses() { [ -n "$(losses "$1")" ] && diff <(losses "$1") <(losses "$2"); }
other_losses() { ! diff -q <(losses "$1") <(losses "$2") >/dev/null; }
warns() { tr '\r' '\n' <"$work/.err" | grep -aqF -- "$1"; }

train=(train --config net.ini --run.steps 9 --device.conv minimal)

setup
expect 0 "9 steps" convoy "${train[@]}" --data.train train.convoy --run.dir packed

about "Shards that h5py made"
h5py=$(find_h5py)
if [ -n "$h5py" ]; then
  mkdir foreign
  "$h5py" - <<'PYTHON'
import h5py

with h5py.File("train.convoy/shard-00000.h5") as packed:
    images, labels = packed["images"][:], packed["labels"][:]
with h5py.File("foreign/a.h5", "w") as file:
    file.create_dataset("images", data=images[:30], chunks=(7, 32, 32, 3), compression="gzip")
    file["labels"] = labels[:30].astype("i8")
with h5py.File("foreign/b.h5", "w") as file:
    file["images"] = images[30:]
    file["labels"] = labels[30:].astype("u1")
PYTHON
  expect 3 "convoy index foreign" convoy "${train[@]}" --data.train foreign --run.dir refused
  expect 0 "foreign: 48 images in 4 classes, 2 shards" convoy index foreign --classes train.convoy
  expect 2 "foreign has an index already" convoy index foreign
  expect 0 "9 steps" convoy "${train[@]}" --data.train foreign --run.dir foreign-run
  check "the first chunked shard is named" warns "1 of 2 shards in foreign are chunked or compressed, a.h5"
  check "losses of the packed images" same_losses packed foreign-run
  expect 2 "foreign/a.h5 is chunked or compressed" convoy "${train[@]}" --data.train foreign \
    --data.read direct --run.dir refused
  check "no refused run left a folder" absent refused
else
  skip "shards made by h5py need h5py, which is not here"
fi
expect 2 "index needs the folder of the shards" convoy index

about "Blocks"
blocks=("${train[@]}" --data.train train.convoy --data.shuffle block --data.block-images 2)
expect 0 "9 steps" convoy "${blocks[@]}" --run.dir blocks
expect 0 "9 steps" ranks 2 "${blocks[@]}" --parallel.strategy data --data.threads 3 --run.dir blocks-2
check "the same order on two ranks" same_losses blocks blocks-2
check "another order than that of all images" other_losses blocks packed
check "the order stands in the run's configuration" contains blocks/config.ini "block-images = 2"

about "Past the page cache, and shared by tower ranks"
if dd if=train.convoy/shard-00000.h5 of=/dev/null iflag=direct bs=4096 count=1 2>/dev/null; then
  expect 0 "9 steps" convoy "${train[@]}" --data.train train.convoy --data.read direct --run.dir direct
  check "the same losses" same_losses packed direct
else
  expect 2 "use --data.read cached" convoy "${train[@]}" --data.train train.convoy \
    --data.read direct --run.dir direct
fi
towers=("${train[@]}" --parallel.strategy model --data.train train.convoy --data.val val.convoy)
expect 0 "9 steps" ranks 2 "${towers[@]}" --data.share on --run.eval-views 1 --run.dir shared
expect 0 "9 steps" ranks 2 "${towers[@]}" --data.share off --run.eval-views 1 --run.dir apart
check "the same losses" same_losses apart shared
check "the same evaluations" diff <(grep '"eval"' apart/metrics.jsonl) <(grep '"eval"' shared/metrics.jsonl)

about "JPEG images, which tower ranks share by themselves"
expect 0 "48 images" convoy pack --input images/train --output jpegs --size 32 --data.encoding jpeg
jpegs=("${train[@]}" --parallel.strategy model --data.train jpegs)
expect 0 "9 steps" ranks 2 "${jpegs[@]}" --run.dir jpegs-auto
check "they do, and the log says so" contains jpegs-auto/log.txt "read each image once"
expect 0 "9 steps" ranks 2 "${jpegs[@]}" --data.share off --run.dir jpegs-apart
check "the same losses" same_losses jpegs-apart jpegs-auto
check "and here they do not" absent_text "read each image once" jpegs-apart/log.txt
check "other losses than of pixels that were never compressed" other_losses jpegs-auto apart

about "An image damaged in the part of one of the ranks that share"
cp -r train.convoy damaged
# All images but those of the first ones: whichever rank reads one says so, and both end.
printf '\377\000\377\000\377' | dd of=damaged/shard-00000.h5 bs=1 seek=60000 conv=notrunc 2>/dev/null
expect 3 "of damaged/shard-00000.h5 is damaged" ranks 2 "${train[@]}" --parallel.strategy model \
  --data.train damaged --data.share on --run.dir refused

about "The loader's benchmark"
expect 0 "of copy" convoy bench --loader --config net.ini --data.train train.convoy
check "a part is named" grep -qE "of its parts, copy" "$work/.said"
expect 2 "bench needs --data.train" convoy bench --loader --config net.ini

finish
