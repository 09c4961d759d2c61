#!/usr/bin/env bash
# A net by description through every command: trained alike under every strategy, gone on from and
# evaluated without its file, inspected, timed, compared, planned; and refused with the line.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

setup
cat >small.net <<'NET'
# Nothing here has AlexNet's numbers.
input 28
towers 2
conv 16 kernel 3 pad 1 relu std he name first
pool kernel 2 stride 2
lrn size 3 k 1
conv 24 kernel 3 stride 2 groups towers relu std he
conv 16 kernel 3 pad 1 relu std he
pool kernel 2 stride 2
dropout 0.25
fc 24 relu std he
fc classes std he
NET
cat >job.ini <<'INI'
[model]
net = small.net
[data]
unit-scale = true
train = train.convoy
val = val.convoy
[solver]
batch = 8
lr = 0.01
schedule = constant
conv1-schedule = steps:10:0.5
[run]
steps = 20
log-every = 1
[device]
threads = 1
INI
job=(train --config job.ini --device.conv first:minimal,conv2:direct,conv3:minimal)

about "Trained under every strategy"
expect 0 "20 steps" convoy "${job[@]}" --run.dir single
for strategy in data model owt; do
  expect 0 "20 steps" ranks 2 "${job[@]}" --run.dir $strategy --parallel.strategy $strategy
  check "$strategy has the losses of single" same_losses $strategy single 1e-4
  check "and its weights" same_weights $strategy/checkpoints/step-00000020.h5 \
    single/checkpoints/step-00000020.h5 1e-5
done
expect 0 "20 steps" ranks 4 "${job[@]}" --run.dir hybrid --parallel.strategy hybrid
check "hybrid has the losses of single" same_losses hybrid single 1e-4

about "config.ini and checkpoints hold the net itself"
net=$(sed -n 's/^net = //p' single/config.ini)
check "in one line" test "${net%% conv*}" = "input 28; towers 2;"
check "without options that shape AlexNet" absent_text "lrn-alpha" single/config.ini
mv small.net kept.net
expect 0 "24 steps" convoy train --run.dir single --run.steps 24
expect 0 "images of val.convoy" convoy eval --run.dir model --data val.convoy
expect 0 "16 kernels of 3 x 3 x 3 in 2 blocks" convoy show filters --run.dir model --output first.png
expect 0 "step 20" convoy inspect model/checkpoints/step-00000020.h5
expect 2 "model.net is 'small.net', which is neither a file nor" convoy train --config job.ini --run.dir again
sed 's/pad 1/pad 0/' kept.net >other.net
expect 2 "it would be another run" convoy train --run.dir data --model.net other.net --run.steps 30
expect 2 "shapes AlexNet, but model.net describes the whole net" \
  convoy train --run.dir data --model.towers 2 --run.steps 30
expect 0 "22 steps" ranks 2 train --run.dir data --model.net kept.net --run.steps 22

about "The other commands"
expect 0 "first  conv 16 3x3 pad 1, ReLU" convoy inspect --model.net kept.net
expect 0 "fc11" convoy inspect --model.net vgg-a
expect 0 "images/s" convoy bench --model.net kept.net --solver.batch 4 --steps 1 --warmup 0
expect 0 "hybrid" convoy plan --model.net kept.net --cluster.gpus-per-node 4 --plan.batches 8
expect 0 "model" ranks 2 compare --model.net kept.net --model.classes 4 --solver.batch 8 \
  --device.threads 1 --device.conv direct --compare.steps 2 --compare.strategies data,model

about "One column, whatever the recipe's net has"
expect 0 "1 step" convoy train --model.net "input 28; conv 8 kernel 5 relu; pool kernel 4 stride 4; fc classes" \
  --data.train train.convoy --data.unit-scale true --solver.batch 8 --run.steps 1 --run.dir column
expect 0 "8 kernels of 5 x 5 x 3 in 1 block," convoy show filters --run.dir column --output column.png

about "What cannot work"
expect 2 "model.net, statement 2: kernels of 9x9 pixels do not fit the 8x8 maps below" \
  convoy inspect --model.net "input 8; conv 4 kernel 9; fc classes"
printf 'input 8\n\nconv 4 kernel 3 groups 2\nfc classes\n' >bad.net
expect 2 "bad.net, line 3: 2 groups do not divide the 3 maps below" \
  ranks 2 train --model.net bad.net --data.train train.convoy --run.dir bad
check "no run directory is made" absent bad
expect 2 "neither a file nor one of the nets" convoy inspect --model.net vgg-b
expect 2 "this net has 1; set --model.towers 2 (in a net's description: towers 2)" ranks 2 bench \
  --model.net zfnet --solver.batch 2 --parallel.strategy model

finish
