#!/usr/bin/env bash
# Nets carried to other programs and back: what is exported is imported, evaluated and trained on;
# what does not fit is refused, and no output is left half-written.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

evaluation() { # evaluation CHECKPOINT: its figures, without its name
  convoy eval --checkpoint "$1" --data val.convoy --json --device.conv direct | sed 's/"checkpoint":"[^"]*",//'
}
same_evaluation() { [ -n "$(evaluation "$1")" ] && diff <(evaluation "$1") <(evaluation "$2"); }
# A caffemodel holds weights and nothing else of a checkpoint.
same_tensors() {
  convoy export --checkpoint "$1" --output one.caffemodel && convoy export --checkpoint "$2" --output two.caffemodel &&
    cmp one.caffemodel two.caffemodel
}
nothing_left() { absent "$1" && absent "$1.*.partial"; }

setup
sed -e 's/^steps = .*/steps = 6/' -e 's/^drop = .*/drop = 0.5/' net.ini >short.ini
check "a net is trained" convoy train --config short.ini --data.train train.convoy --run.dir run
trained=run/checkpoints/step-00000006.h5

about "Out and in again"
for names in torch convoy; do
  expect 0 "$names.safetensors: 14,916 parameters of $trained" convoy export --run.dir run \
    --output $names.safetensors --names $names
  expect 0 "$names.h5: 14,916 parameters of $names.safetensors ($names), 4 classes" \
    convoy import --input $names.safetensors --output $names.h5
  check "weights came back" same_tensors $trained $names.h5
  check "so did all that evaluation needs" same_evaluation $trained $names.h5
  convoy export --checkpoint $names.h5 --output again.safetensors --names $names >/dev/null
  check "a second export of it has the same bytes" cmp $names.safetensors again.safetensors
done
check "a module of PyTorch's lies beside it" contains torch.py "self.conv2 = nn.Conv2d(16, 16, 5, padding=2, groups=2)"
expect 0 "net.caffemodel: 14,916 parameters" convoy export --checkpoint $trained --output net.caffemodel
expect 0 "caffe.h5: 14,916 parameters of net.caffemodel (caffe), 4 classes" convoy import \
  --input net.caffemodel --output caffe.h5 --config short.ini --classes train.convoy
check "weights came back" same_tensors $trained caffe.h5
check "so did all that evaluation needs" same_evaluation $trained caffe.h5
expect 0 "net.onnx: 14,916 parameters" convoy export --checkpoint $trained --output net.onnx
convoy export --checkpoint $trained --output again.onnx >/dev/null
check "two exports have the same bytes" cmp net.onnx again.onnx
expect 0 "soft.onnx" convoy export --checkpoint $trained --output soft.onnx --softmax
check "the other one ends with probabilities" contains soft.onnx probabilities

about "An imported net is trained on"
more=(train --config short.ini --data.train train.convoy --solver.lr 0)
check "a run begins with its weights" convoy "${more[@]}" --run.dir frozen --run.weights torch.h5
check "which stay as they were at rate 0" same_tensors torch.h5 frozen/checkpoints/step-00000006.h5
check "the log says so" contains frozen/log.txt "begins with the weights of torch.h5"
check "two ranks begin with them, too" ranks 2 "${more[@]}" --parallel.strategy model --run.dir two --run.weights torch.h5
check "which stay as they were" same_tensors torch.h5 two/checkpoints/step-00000006.h5
expect 4 "fc8/weight in torch.h5 has the shape [4, 1, 1, 32], not [5, 1, 1, 32]" \
  convoy "${more[@]}" --run.dir other --model.classes 5 --run.weights torch.h5
expect 4 "missing.h5" convoy "${more[@]}" --run.dir other2 --run.weights missing.h5
expect 2 "--run.weights is torch.h5 for the run in frozen" \
  convoy train --run.dir frozen --run.weights convoy.h5

about "A net with more outputs than its training set has classes"
check "it is trained" convoy train --config short.ini --data.train train.convoy --model.classes 10 --run.dir ten
# Five likeliest of seven outputs or more, of which four have names.
names_all() { [ "$(convoy predict "$@" --json images/val | grep -o '"class":"class-[4-9]"' | wc -l)" -ge 19 ]; }
check "its outputs without names have plain ones" names_all --run.dir ten
expect 0 "ten.safetensors" convoy export --run.dir ten --output ten.safetensors
expect 0 "(torch), 4 classes" convoy import --input ten.safetensors --output ten.h5
check "they have them when it comes back" names_all --checkpoint ten.h5
check "evaluation counts the four" same_evaluation ten/checkpoints/step-00000006.h5 ten.h5
seq 0 9 | sed s/^/output-/ >ten.txt
expect 0 "output-4" convoy predict --run.dir ten images/val --classes ten.txt
expect 3 "train.convoy names 4 classes, and the net of ten.h5 has 10 outputs" convoy predict \
  --checkpoint ten.h5 images/val --classes train.convoy
expect 2 "train.convoy names 4 classes, and the net has 10 outputs" convoy import --input ten.safetensors \
  --output x.h5 --classes train.convoy

about "Wrong use"
expect 2 "export needs either --checkpoint FILE or --run.dir DIR" convoy export --output x.onnx
expect 2 "export needs --output FILE" convoy export --run.dir run
expect 2 "x.bin does not say its format" convoy export --run.dir run --output x.bin
expect 2 "--names must be torch, convoy, alexnet-pytorch or torchvision, not 'keras'" \
  convoy export --run.dir run --output x.safetensors --names keras
expect 2 "it has conv1, conv 16 5x5 pad 2, ReLU" convoy export --run.dir run --output x.safetensors --names torchvision
expect 2 "has conv1, conv 96 11x11 stride 4, ReLU" convoy export --run.dir run --output x.safetensors --names alexnet-pytorch
check "nothing is left of them" nothing_left "x.*"
expect 2 "there is no folder nowhere" convoy export --run.dir run --output nowhere/x.onnx
mkdir folder.onnx
expect 2 "folder.onnx is a folder" convoy export --run.dir run --output folder.onnx
expect 7 "/proc/x.onnx" convoy export --run.dir run --output /proc/x.onnx
expect 2 "run is a folder" convoy import --input torch.safetensors --output run
ln -s torch.safetensors link.h5
expect 2 "link.h5 would be overwritten, which the command reads" convoy import --input torch.safetensors --output link.h5
cp $trained trained.onnx
expect 2 "trained.onnx would be overwritten, which the command reads" convoy export --checkpoint trained.onnx --output trained.onnx
check "it is left alone" cmp trained.onnx $trained
cp torch.safetensors same.safetensors
expect 2 "same.safetensors would be overwritten" convoy import --input same.safetensors --output ./same.safetensors
check "it is left alone" cmp torch.safetensors same.safetensors
printf '%s\n' a b c a >twice.txt
expect 3 "the class list twice.txt has the class a twice" convoy import --input torch.safetensors \
  --output x.h5 --classes twice.txt
# In the metadata a list is a text within a text; what takes a name's place is as long.
classes_changed() { # classes_changed FROM TO SENTENCE
  sed "s/$1/$2/" torch.safetensors >changed.safetensors
  expect 3 "the class list changed.safetensors $3" convoy import --input changed.safetensors --output x.h5
}
classes_changed 000-bars 003-disc "has the class 003-disc twice"
classes_changed '\\"000-bars\\"' '\\"\\"        ' "has no name for class 0, counted from 0"
classes_changed 000-bars '\\\\u0007a' "has control characters in the class ?a"
mean=$(grep -ao '"mean_image":"[0-9.]*' torch.safetensors | cut -d'"' -f4)
sed "s/\"mean_image\":\"$mean/\"mean_image\":\"nan(${mean:5})/" torch.safetensors >changed.safetensors
expect 4 "the mean image of changed.safetensors holds a value that is not finite, the first (nan) at 0 of 3072" \
  convoy import --input changed.safetensors --output x.h5
expect 2 "import needs --output FILE" convoy import --input torch.safetensors
expect 2 "net.onnx cannot be imported" convoy import --input net.onnx --output x.h5
expect 2 "leave --recipe out" convoy import --input torch.safetensors --output x.h5 --recipe caffe
expect 2 "the tensors of torch.safetensors have the names torch, not convoy" \
  convoy import --input torch.safetensors --output x.h5 --names convoy
expect 2 "the net subtracts a mean image (data.mean centre), and net.caffemodel holds none" convoy import \
  --input net.caffemodel --output x.h5 --config short.ini --data.unit-scale false
expect 2 "train.convoy names 4 classes, and the net has 5 outputs; a line for each" convoy import \
  --input net.caffemodel --output x.h5 --config short.ini --classes train.convoy --model.classes 5
expect 2 "train.convoy names 4 classes, and the net has 3 outputs" convoy import \
  --input net.caffemodel --output x.h5 --config short.ini --classes train.convoy --model.classes 3

about "Files that do not fit"
expect 4 "it has 'fc8' (InnerProduct of 4 neurons), where the net that the options describe has fc8 (InnerProduct of 1000" \
  convoy import --input net.caffemodel --output x.h5 --config short.ini --model.classes 1000
expect 4 "net.caffemodel holds another net: it has 'conv1' (Convolution of 16 kernels of 5" \
  convoy import --input net.caffemodel --output x.h5 --recipe caffe --data.unit-scale true
expect 4 "torch.safetensors has the shape [16, 8, 5, 5]" convoy import --input torch.safetensors --output x.h5 --model.towers 1
head -c 20000 torch.safetensors >cut.safetensors
expect 4 "cut.safetensors is not a whole safetensors file" convoy import --input cut.safetensors --output x.h5
head -c 20000 net.caffemodel >cut.caffemodel
expect 4 "cut.caffemodel is not a whole caffemodel" convoy import --input cut.caffemodel --output x.h5 --config short.ini
cp net.onnx onnx.safetensors
expect 4 "onnx.safetensors is not a whole safetensors file" convoy import --input onnx.safetensors --output x.h5
cp torch.safetensors torch.caffemodel
expect 4 "torch.caffemodel is not a whole caffemodel" convoy import --input torch.caffemodel --output x.h5
: >empty.safetensors
expect 4 "empty.safetensors is not a whole safetensors file" convoy import --input empty.safetensors --output x.h5
expect 4 "missing.safetensors cannot be read" convoy import --input missing.safetensors --output x.h5
check "nothing is left of them" nothing_left x.h5

finish
