#!/usr/bin/env bash
# Packing ImageNet's way: a tar of tars and a validation tar with ILSVRC's ground truth, with the
# oddities of the real ones; killed and started again, and by several ranks, the dataset is the same
# to the byte; verify finds what is wrong with one.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

same() { diff -r "$1" "$2"; }
reports() { # reports DATASET FILE LEFT_OUT TEXT: the report has a line on the file
  grep -F "\"file\":\"$2\",\"left_out\":$3" "$1/report.jsonl" | grep -F -- "$4"
}
pack_train() { # pack_train OUTPUT [options]
  local output=$1
  shift
  convoy pack --input train.tar --output "$output" --size 48 --shard-images 20 "$@"
}

# "LABEL FILE" of every image, as the table to a contact sheet has them.
labelled() {
  convoy verify "$1" --sheet sheet.png --sheet-images 40 2>/dev/null |
    awk '/JPEG/ { sub(".*/", "", $(NF - 2)); print $3, $(NF - 2) }' | sort
}

about "Tars in ImageNet's layout"
convoy synth --output images --classes 4 --train-images 60 --val-images 10 --width 200 \
  --height 180 >/dev/null 2>&1
mkdir classes flat
wnids=(n01440764 n01443537 n02119789 n09999999)
i=0
for folder in images/train/*; do
  mv "$folder" "classes/${wnids[i]}"
  i=$((i + 1))
done
for file in classes/*/*.jpg; do
  mv "$file" "${file%.jpg}.JPEG"
done
base64 -d >classes/n01440764/png.JPEG <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAbElEQVR42g3JQQEAMAgDMZSgpEqqhOepQAlKqmjLN1VF
FypcTLHFFSmqmm7UuJlmm2vSP0QLCYsRK05EP0wbGZsxa87EP4YeNHiYYYcbMj+WXrR4mWWXW7I/jj50+JhjjztyP0IH
BYcJGy4kPLAsVIH5pgt5AAAAAElFTkSuQmCC
PNG
base64 -d >classes/n01443537/cmyk.JPEG <<'CMYK'
/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZM
TlJTUjI+WmFaUGBKUVJP/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//E
ALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2
Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrC
w8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwDtq169IrvKKKKKKKKKKKKK/9k=
CMYK
head -c 1500 classes/n02119789/00000.JPEG >classes/n02119789/cut.JPEG
: >classes/n02119789/empty.JPEG
mkdir tars
for wnid in "${wnids[@]}"; do
  tar -C "classes/$wnid" -cf "tars/$wnid.tar" .
done
(cd tars && tar -cf ../train.tar ./*.tar)

# The ids of the devkit are not in the order of WNIDs.
cat >ids.txt <<'IDS'
1 n02119789 kit fox, Vulpes macrotis
2 n09999999 something
3 n01440764 tench, Tinca tinca
4 n01443537 goldfish, Carassius auratus
1001 n00001740 entity
IDS
i=0
id=(3 4 1 2)
for number in 0 1 2 3 4 5 6 7 8 9; do
  class=0
  for folder in images/val/*; do
    i=$((i + 1))
    cp "$folder/$(printf '%05d' "$number").jpg" "flat/ILSVRC2012_val_$(printf '%08d' "$i").JPEG"
    echo "${id[class]}" >>truth.txt
    class=$((class + 1))
  done
done
tar -C flat -cf val.tar .

about "Training and validation images"
expect 0 "train: 242 images in 4 classes, 13 shards" pack_train train --devkit ids.txt
check "what was left out and converted is counted" \
  contains "$work/.said" "2 left out, 2 repaired or converted"
check "report: PNG under a JPEG name" reports train n01440764/png.JPEG false "PNG data"
check "report: CMYK" reports train n01443537/cmyk.JPEG false "CMYK converted"
check "report: cut short" reports train n02119789/cut.JPEG true "cut short"
check "report: empty" reports train n02119789/empty.JPEG true "is empty"
check "no record of a shard is left" absent "train/*.record"
check "no plan is left" absent "train/unfinished.json"
expect 0 "tench, Tinca tinca" convoy inspect train
expect 0 "val: 40 images in 4 classes, 1 shard" convoy pack --input val.tar --output val \
  --size 48 --labels truth.txt --devkit ids.txt --classes train
for class in n01440764 n01443537 n02119789 n09999999; do
  mkdir -p "sorted/$class"
done
i=0
for file in flat/*; do # the classes follow each other in the order of the folders of synth
  cp "$file" "sorted/${wnids[i % 4]}/"
  i=$((i + 1))
done
tar -cf sorted.tar sorted
labelled val >val.txt
check "all images are in the sheet's table" test "$(grep -c ILSVRC val.txt)" = 40
for input in sorted sorted.tar; do
  rm -rf other
  expect 0 "other: 40 images in 4 classes" convoy pack --input "$input" --output other --size 48 \
    --classes train
  labelled other >other.txt
  check "images and labels are those of class folders" cmp val.txt other.txt
done
(cd classes && for file in */*.JPEG; do echo "$file ${file%%/*}"; done) >classes/list.txt
expect 0 "list: 242 images in 4 classes" convoy pack --input classes/list.txt --output list \
  --size 48 --shard-images 20
check "a list packs the same shards as the tar" cmp list/shard-00007.h5 train/shard-00007.h5
expect 0 "jpeg: 242 images in 4 classes, 13 shards" pack_train jpeg --data.encoding jpeg

about "Killed and started again"
kills=0
for after in 3 8; do
  rm -rf killed
  "$binary" pack --input train.tar --output killed --size 48 --shard-images 20 --devkit ids.txt \
    --threads 1 >/dev/null 2>&1 &
  pid=$!
  for _ in $(seq 2000); do
    if [ -e "killed/shard-$(printf '%05d' "$after").h5" ]; then break; fi
    sleep 0.005
  done
  kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
  wait "$pid" 2>/dev/null
  if [ -e killed/index.h5 ]; then continue; fi
  expect 3 "killed is not a dataset" convoy inspect killed
  expect 2 "killed holds the unfinished pack of other options (--seed is '1' there and '2' here)" \
    pack_train killed --devkit ids.txt --seed 2
  before=$(stat -c %Y.%i killed/shard-00000.h5)
  expect 0 "killed: 242 images in 4 classes, 13 shards" ranks "$((after / 3))" pack \
    --input train.tar --output killed --size 48 --shard-images 20 --devkit ids.txt
  check "the finished shard was not packed again" \
    test "$before" = "$(stat -c %Y.%i killed/shard-00000.h5)"
  check "the dataset is the same to the byte" same train killed
done
check "at least one kill came in time" test "$kills" -gt 0
expect 0 "ranks: 242 images in 4 classes, 13 shards" ranks 3 pack --input train.tar \
  --output ranks --size 48 --shard-images 20 --devkit ids.txt
check "three ranks pack the same to the byte" same train ranks

about "Sources that cannot be used"
rm -rf output
head -c 100000 train.tar >cut.tar
expect 3 "cut short or damaged" convoy pack --input cut.tar --output output
cp train.tar damaged.tar
printf 'x' | dd of=damaged.tar bs=1 seek=20 conv=notrunc status=none
expect 3 "is neither a tar nor a list of images, or is damaged" \
  convoy pack --input damaged.tar --output output
gzip -k val.tar
expect 3 "val.tar.gz is compressed" convoy pack --input val.tar.gz --output output
head -n 39 truth.txt >short.txt
expect 3 "short.txt has 39 labels, but the input has 40 images" \
  convoy pack --input val.tar --output output --labels short.txt --devkit ids.txt
sed '7s/.*/5/' truth.txt >unknown.txt
expect 3 "line 7 of unknown.txt has the id '5'" \
  convoy pack --input val.tar --output output --labels unknown.txt --devkit ids.txt
expect 2 "give --labels" convoy pack --input val.tar --output output
expect 2 "--devkit must say which WNID" convoy pack --input val.tar --output output \
  --labels truth.txt
sed 's/n09999999/n09999998/' ids.txt >foreign.txt
expect 3 "the class n09999998 is not in the class list train" \
  convoy pack --input val.tar --output output --labels truth.txt --devkit foreign.txt \
  --classes train
: >empty.txt
expect 3 "empty.txt is empty" convoy pack --input empty.txt --output output
expect 3 "empty.txt is empty" convoy pack --input val.tar --output output --labels empty.txt \
  --devkit ids.txt
expect 3 "names no classes" convoy pack --input val.tar --output output --labels truth.txt \
  --devkit empty.txt
check "nothing was written" absent output
mkdir foreign
cp train/shard-00003.h5 foreign/
expect 2 "the output foreign holds shard-00003.h5" pack_train foreign
mkdir -p alone/a
cp classes/n02119789/00000.JPEG alone/a/
expect 0 "single: 1 image in 1 class, 1 shard" convoy pack --input alone --output single --size 48

about "convoy verify"
expect 0 "train: 242 images in 4 classes and 13 shards are as they were packed" convoy verify train
expect 0 "sheet.png shows:" convoy verify train --sheet sheet.png --sheet-images 12 --threads 2
check "the contact sheet is a PNG" grep -q PNG sheet.png
cp -r train faulty
printf '\125' | dd of=faulty/shard-00002.h5 bs=1 seek=60000 conv=notrunc status=none
rm faulty/shard-00005.h5
cp list/shard-00000.h5 faulty/shard-00044.h5
expect 3 "faulty has 3 faults" convoy verify faulty
cp .out faults.txt
check "verify names the damaged image" \
  contains faults.txt "shard-00002.h5: 1 of 20 images is damaged, the first is image"
check "verify goes on to the missing shard" \
  contains faults.txt "cannot open faulty/shard-00005.h5: No such file or directory"
check "verify goes on to the foreign shard" \
  contains faults.txt "shard-00044.h5 lies in the folder but is not in the index"
expect 3 "nowhere is not a dataset" convoy verify nowhere
expect 2 "verify needs the folder of a dataset" convoy verify
finish
