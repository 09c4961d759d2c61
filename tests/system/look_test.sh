#!/usr/bin/env bash
# Looking at nets as a person would: predictions of image files, kernels, neighbours, curves, traces,
# augmented inputs; and what is said where that cannot be.
#
# usage: tests/system/look_test.sh CONVOY
# shellcheck source=tests/system/common.sh
source "$(dirname "$0")/common.sh" "$@"
setup

# count_right FILE: how many JSON lines have their label among the classes, and how many have one.
count_right() {
  awk -F'"label":"' 'NF == 2 { split($2, part, "\""); n++
      if (index($2, "\"class\":\"" part[1] "\"")) right++ } END { print right + 0, n + 0 }' "$1"
}

is_png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; }

about "A run of two ranks, with some steps traced"
expect 0 "checkpoint: run/checkpoints" ranks 2 train --config net.ini --parallel.strategy model \
  --data.train train.convoy --data.val val.convoy --run.dir run --run.trace-from 4 --run.trace-steps 3
expect 0 "checkpoint: plain/checkpoints" convoy train --config net.ini --data.train train.convoy \
  --data.val val.convoy --run.dir plain
check "tracing changes no loss" same_losses run plain 1e-4

about "Predictions are what the evaluation counts"
for views in 1 10; do
  batch=$((views * 3))
  convoy eval --run.dir run --data val.convoy --views "$views" --solver.batch "$batch" --json \
    >eval.json 2>/dev/null
  convoy predict --run.dir run images/val --views "$views" --batch 4 --json >predict.jsonl
  said=$(convoy predict --run.dir run images/val --views "$views" --threads 1 | tail -1)
  wanted=$(awk -v a="$(field top1 <eval.json)" 'BEGIN { printf "top-1 %.2f %%", 100 * a }')
  check "all images with a label, $views view(s)" test "$(count_right predict.jsonl)" = "19 19"
  check "the same top-1, $views view(s): $wanted" grep -qF "$wanted" <<<"$said"
done
expect 0 '"logits":[' convoy predict --checkpoint run/checkpoints/step-00000020.h5 \
  images/val/001-*/00000.jpg --json --logits
expect 0 "1 image, 1 view each" convoy predict --run.dir run images/val/001-*/00000.jpg --sheet one.png
check "the sheet is a PNG" is_png one.png

about "A damaged image costs nothing but its line"
mkdir mixed
cp images/val/001-*/*.jpg mixed/
head -c 300 images/val/002-*/00000.jpg >mixed/00003b.jpg
expect 3 "1 of 6 files could not be used, as said above" convoy predict --run.dir run mixed
convoy predict --run.dir run mixed >mixed.txt 2>/dev/null
check "five are predicted" test "$(grep -c '^mixed.*jpg$' mixed.txt)" = 5
check "the line names the file" grep -q '^mixed/00003b.jpg cannot be decoded: ' mixed.txt
convoy predict --run.dir run mixed --json >mixed.jsonl 2>/dev/null
check "its JSON line has an error" \
  grep -q '"image":"mixed/00003b.jpg","error":"cannot be decoded: ' mixed.jsonl

about "Predictions that cannot be made"
expect 2 "needs either --checkpoint FILE or --run.dir DIR" convoy predict mixed
expect 2 "predict needs images or folders" convoy predict --run.dir run
expect 2 "add --json" convoy predict --run.dir run mixed --logits
expect 2 "leave out one of them" convoy predict --run.dir run mixed --logits --json --views 10
expect 2 "there is no folder nowhere" convoy predict --run.dir run mixed --sheet nowhere/a.png
expect 2 "one rank is enough" ranks 2 predict --run.dir run mixed
expect 4 "./checkpoints cannot be read" convoy predict --run.dir . mixed
printf 'a\nb\n' >two.txt
expect 3 "two.txt names 2 classes, and the net of" convoy predict --run.dir run mixed --classes two.txt
printf '%s\n' 'a first' 'b second' 'c third' 'd fourth' >four.txt
expect 0 "second" convoy predict --run.dir run images/val/001-*/00000.jpg --classes four.txt
printf '%s\n' a b c a >twice.txt
expect 3 "the class list twice.txt has the class a twice" convoy predict --run.dir run mixed --classes twice.txt
cp images/val/001-*/00000.jpg photo.h5
expect 4 "photo.h5 is cut short or was not written by Convoy" convoy predict mixed --checkpoint photo.h5
expect 2 "mixed is a folder; name a file to write" convoy predict --run.dir run mixed --sheet mixed
: >nothing.jpg
expect 3 "1 of 1 files could not be used" convoy predict --run.dir run nothing.jpg
cp "$work/.out" nothing.txt
check "it is said to be empty" contains nothing.txt "nothing.jpg is empty"
mkdir empty
expect 3 "1 of 1 files could not be used" convoy predict --run.dir run empty
expect 3 "1 of 6 files could not be used" convoy predict --run.dir run empty images/val/001-*
cp "$work/.out" empty.txt
check "the folder has its line" contains empty.txt "empty is a folder without files"
check "the rest are predicted" contains empty.txt "5 images, 1 view each"
expect 3 "none of the 1 files could be used" convoy show nearest --run.dir run empty --features none.h5
head -c 5000 run/checkpoints/step-00000020.h5 >cut.h5
expect 4 "cut.h5" convoy predict --checkpoint cut.h5 mixed
cp run/checkpoints/step-00000020.h5 nan.h5
python=$(find_h5py)
if [ -n "$python" ]; then
  # The seal goes, as a tool that knows nothing of it would leave the file; it is then refused.
  "$python" -c 'import h5py; f = h5py.File("nan.h5", "r+"); f["parameters/conv1/weight"][0, 0, 0, 0] = float("nan")'
  expect 4 "nan.h5" convoy show filters --checkpoint nan.h5 --output nan.png
  check "no picture is left" absent 'nan.png*'
fi

about "Kernels"
expect 0 "16 kernels of 5 x 5 x 3 in 2 blocks" convoy show filters --run.dir run --output kernels.png
check "a PNG" is_png kernels.png
expect 2 "show filters needs --output FILE" convoy show filters --run.dir run
expect 2 "must be each or all" convoy show filters --run.dir run --output k.png --scale none

about "Neighbours"
expect 0 "run/features.h5 keeps 32 features of each of 48 images" \
  convoy show nearest --run.dir run images/train/002-*/00003.jpg --output near.png --count 3
cp "$work/.out" near.txt
check "the image itself is in the training set" grep -qE '002-.*/00003.jpg +0 ' near.txt
check "a PNG" is_png near.png
cp run/features.h5 kept.h5
expect 0 "48 images searched for 1" convoy show nearest --run.dir run images/train/002-*/00003.jpg
check "the features were kept" cmp kept.h5 run/features.h5
expect 0 "it is made anew" convoy show nearest --run.dir plain images/val/002-*/00003.jpg \
  --features kept.h5 --data val.convoy
expect 0 "are not kept" convoy show nearest --checkpoint plain/checkpoints/step-00000020.h5 \
  images/val/002-*/00003.jpg --data val.convoy
cp net.ini foreign.h5
expect 3 "foreign.h5" convoy show nearest --run.dir run mixed/00000.jpg --features foreign.h5
check "it is left alone" cmp net.ini foreign.h5
expect 3 "1 of 2 files could not be used" convoy show nearest --run.dir run mixed/00003b.jpg mixed/00000.jpg
convoy pack --input images/val --output other.convoy --size 40 >/dev/null 2>&1
expect 3 "pack it with --size 32" convoy show nearest --run.dir run mixed/00000.jpg \
  --data other.convoy --features new.h5
check "no file is left" absent 'new.h5*'

# readers COMMAND: as somebody who may not write into the run's folder.
readers() {
  if [ "$(id -u)" -ne 0 ]; then
    "$@"
  elif command -v setpriv >/dev/null; then
    HOME=$PWD timeout -k 5 "$limit" setpriv --reuid 65534 --clear-groups "$binary" "${@:2}"
  fi
}
cp -r run shut && rm shut/features.h5
chmod 755 . && chmod a-w shut
if [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null; then
  expect 0 "48 images searched for 1" readers convoy show nearest --run.dir shut images/val/002-*/00003.jpg
  cp "$work/.err" shut.txt
  check "it is said that the features are lost" contains shut.txt "--features FILE keeps them elsewhere"
  check "nothing is left in the folder of temporary files" absent "${TMPDIR:-/tmp}/convoy-features-*"
fi
chmod u+w shut

about "Curves"
expect 0 "curves.html: the curves of 2 runs" convoy show curves run plain --output curves.html
check "the page has both runs" contains curves.html '"name":"plain"'
check "the page asks nothing of a network" absent_text "http" curves.html
expect 3 "images is not a run directory" convoy show curves run images --output no.html
mkdir unfinished && : >unfinished/metrics.jsonl && cp run/config.ini unfinished/
expect 3 "holds no training step yet" convoy show curves unfinished --output no.html
check "no page is left" absent 'no.html*'

about "Traces"
expect 0 "trace.json: steps 4 to 6 on 2 ranks" convoy show trace run --output trace.json
if command -v python3 >/dev/null; then
  check "each rank's phases and layers lie within each other, and exchanges are there" python3 - <<'PYTHON'
import json
events = json.load(open("trace.json"))["traceEvents"]
for rank in (0, 1):
    mine = [e for e in events if e["pid"] == rank + 1]
    spans = sorted((e["ts"], -e["dur"], e["name"]) for e in mine if e["ph"] == "X" and e["tid"] == rank + 1)
    open_ends = []
    for begin, minus, name in spans:
        while open_ends and open_ends[-1] <= begin + 1e-3:
            open_ends.pop()
        assert not open_ends or begin - minus <= open_ends[-1] + 1e-3, (rank, name)
        open_ends.append(begin - minus)
    names = [name for _, _, name in spans]
    assert names.count("forward") == names.count("backward") == 3, names
    assert names.count("conv1") == 6 and names.count("exchange-conv3") == 6, names
    assert any(e["ph"] == "b" and e["name"] == "exchange-conv3" for e in mine)
    assert len([e for e in mine if e["ph"] == "b"]) == len([e for e in mine if e["ph"] == "e"])
PYTHON
fi
expect 3 "train" convoy show trace plain --output no.json
check "no file is left" absent 'no.json*'

about "Inputs of training"
expect 0 "9 inputs of steps 1 to 2" convoy show sample --run.dir run --output sample.png --images 9
check "a PNG" is_png sample.png
expect 2 "show sample needs --data.train DIR" convoy show sample --config net.ini --output s.png

about "Outputs that would destroy something"
kept() { cmp "$1" "$work/kept/$1"; }
mkdir kept && cp -r --parents run/metrics.jsonl run/config.ini run/trace run/checkpoints mixed/00000.jpg \
  train.convoy/index.h5 kept
expect 2 "mixed/00000.jpg would be overwritten, which the command reads" \
  convoy predict --run.dir run mixed/00000.jpg --sheet mixed/00000.jpg
expect 2 "mixed/../mixed/00000.jpg would be overwritten" \
  convoy predict --run.dir run mixed --sheet mixed/../mixed/00000.jpg
expect 2 "mixed/00000.jpg would be overwritten" convoy show nearest --run.dir run mixed/00000.jpg --output mixed/00000.jpg
check "the picture is left alone" kept mixed/00000.jpg
expect 2 "run/metrics.jsonl would be overwritten, which belongs to plain/../run" \
  convoy show curves plain/../run --output run/metrics.jsonl
check "figures are left alone" kept run/metrics.jsonl
for file in run/checkpoints/step-00000020.h5 run/config.ini; do
  expect 2 "$file would be overwritten" convoy show filters --run.dir run --output "$file"
  expect 2 "$file would be overwritten" convoy show sample --run.dir run --output "$file"
  check "$file is left alone" kept "$file"
done
expect 2 "run/trace/rank-1.jsonl would be overwritten" convoy show trace run --output run/trace/rank-1.jsonl
check "the trace is left alone" kept run/trace/rank-1.jsonl
expect 2 "net.ini would be overwritten" convoy plan --config net.ini --json net.ini
expect 2 "train.convoy/index.h5 would be overwritten" convoy verify train.convoy --sheet train.convoy/index.h5
check "the dataset is left alone" kept train.convoy/index.h5
expect 0 "run/curves.html" convoy show curves run --output run/curves.html
expect 0 "run/curves.html" convoy show curves run --output run/curves.html
mkfifo pipe
expect 2 "pipe is a device or a pipe" convoy show filters --run.dir run --output pipe
check "it is still one" test -p pipe
ln -s kernels.png link.png
cp kernels.png before.png
expect 0 "link.png: 16 kernels" convoy show filters --run.dir run --output link.png --scale all
check "a link stays" test -L link.png
differ() { ! cmp -s "$1" "$2"; }
check "what it stands for is new" differ kernels.png before.png

finish
