#!/usr/bin/env bash
# convoy launch on two hosts and under real Slurm, on the testbed of cluster/: equal losses, bytes on
# the wire, lost hosts, cut links, requeued jobs.
# shellcheck disable=SC1091,SC2154,SC2317 # sourced files, their variables; functions called by name
# shellcheck disable=SC2054,SC2016 # options with commas; text that is evaluated later
here=$(dirname "$(realpath "$0")")
. "$here/cluster/hosts.sh"
. "$here/cluster/slurm.sh"
if [ -z "${CONVOY_TESTBED:-}" ]; then
  reason=$(no_testbed)
  if [ -n "$reason" ]; then
    echo "skipped: $reason"
    exit 0
  fi
  in_testbed "$0" "$@"
fi
. "$here/common.sh"
enter_testbed 2

setup
hosts=(--cluster.hosts c1,c2 --cluster.agent "$agent" --cluster.interface "$network"
  --cluster.timeout 6)
job=(train --config net.ini --data.train train.convoy)

launch_on_hosts() { convoy launch "${hosts[@]}" "$@"; }

# In the background, as a person would in a script; ends as it does.
start() {
  "$binary" launch "$@" >launched.out 2>launched.err </dev/null &
  launched=$!
}
ended() { # within $limit seconds
  ( sleep "$limit"; kill -9 "$launched" ) 2>/dev/null &
  local guard=$!
  wait "$launched"
  local code=$?
  kill "$guard" 2>/dev/null
  cat launched.out
  cat launched.err >&2
  return $code
}

about "The same losses on one host and on two"
expect 0 "20 steps" convoy "${job[@]}" --run.dir single
expect 0 "20 steps" convoy launch --cluster.ranks 2 -- "${job[@]}" --run.dir local \
  --parallel.strategy model
for strategy in model data; do
  expect 0 "20 steps" launch_on_hosts --cluster.logs logs -- "${job[@]}" \
    --run.dir "$strategy" --parallel.strategy "$strategy"
  check "$strategy: losses agree with those of one rank to 1e-4" same_losses "$strategy" single 1e-4
done
check "launch on this host: the same losses" same_losses local single 1e-4
check "a log for each rank and start" test -s logs/start-2/1/rank.0/stdout -a \
  -e logs/start-1/1/rank.1/stderr

about "A dry run prints the command line and does nothing"
expect 0 "--host c1:1,c2:1 -n 2" launch_on_hosts --dry-run -- "${job[@]}" --run.dir "it's dry"
expect 0 "--run.dir 'it'\\''s dry'" launch_on_hosts --dry-run -- "${job[@]}" --run.dir "it's dry"
check "there is no run" test ! -e "it's dry"

about "Bytes on the wire: what c1's interface counts beside what inspect computes"
bigger=(--model.kernels 64,128,128,128,128 --model.neurons 512,512 --solver.batch 48)
gentle=(--solver.lr 0 --model.weight-std 0.01,0.01,0.01,0.01,0.01,0.01,0.01,0.01 --run.log-every 100)
predicted() { # predicted STRATEGY: wire bytes of a step
  convoy inspect --config net.ini --model.classes 4 "${bigger[@]}" --parallel.ranks 2 |
    tr -d , | awk -v strategy="$1" '/^(single|model|data) on/ { now = $1 }
      now == strategy && /^data on/ { print $NF }
      now == strategy && $1 == "sum" { print $NF }'
}
sent_by() { # sent_by STRATEGY STEPS
  local before
  before=$(sent_bytes c1)
  launch_on_hosts -- "${job[@]}" "${bigger[@]}" "${gentle[@]}" --run.dir "wire-$1-$2" --run.steps "$2" \
    --parallel.strategy "$1" >/dev/null 2>&1 || return 1
  echo $(($(sent_bytes c1) - before))
}
# The difference of two runs leaves out what starting and ending cost.
within_a_tenth() {
  local few many wire
  few=$(sent_by "$1" 4) && many=$(sent_by "$1" 16) && wire=$(predicted "$1") || return 1
  awk -v sent=$(((many - few) / 12)) -v wire="$wire" 'BEGIN {
    print sent " bytes a step on the wire, " wire " predicted"
    exit !(wire > 1e6 && sent >= 0.9 * wire && sent <= 1.1 * wire) }'
}
for strategy in model data; do
  check "$strategy: within 10 %" within_a_tenth "$strategy"
done

about "What is wrong with a host is said before the start"
expect 5 "c3 cannot be reached with $agent" convoy launch --cluster.hosts c1,c3 \
  --cluster.agent "$agent" -- "${job[@]}" --run.dir refused
expect 2 "cluster.ranks is 3, but the hosts take 2 ranks together" convoy launch \
  --cluster.hosts c1:1,c2:1 --cluster.ranks 3 --cluster.agent "$agent" -- "${job[@]}" \
  --run.dir refused
expect 2 "there is no option --solver.batsh" launch_on_hosts -- "${job[@]}" --solver.batsh 3
cp -r val.convoy other.convoy
echo "mount --bind '$work/other.convoy' '$work/train.convoy'" >setup/c2
expect 2 "train.convoy on c2 is not what it is on c1" launch_on_hosts -- "${job[@]}" \
  --run.dir refused
cp "$binary" another-build && echo >>another-build
echo "mount --bind '$work/another-build' '$binary'" >setup/c2
expect 2 "on c2 is another build" launch_on_hosts -- "${job[@]}" --run.dir refused
rm setup/c2
check "nothing was started" test ! -e refused

about "A job on two hosts that loses one"
endless=("${job[@]}" --run.steps 1000000 --parallel.strategy data)
start "${hosts[@]}" -- "${endless[@]}" --run.dir cut
check "it trains" await "$limit" logged cut 3
cut_link c2
SECONDS=0
expect 5 "a host was lost" ended
check "a cut link ended the job within 30 seconds ($SECONDS)" test "$SECONDS" -le 30
mend_link c2
start "${hosts[@]}" -- "${endless[@]}" --run.dir crashed
check "it trains" await "$limit" logged crashed 3
crash c2
expect 5 "a host was lost" ended
start "${hosts[@]}" -- "${endless[@]}" --run.dir killed
check "it trains" await "$limit" logged killed 3
ip netns pids c2 | xargs ps -o pid=,args= | awk '$2 ~ /convoy$/ { print $1 }' | xargs kill -9
expect 5 "a rank was ended by signal 9" ended
check "nothing is left on the hosts" await 20 eval '[ -z "$(ip netns pids c1; ip netns pids c2)" ]'

# A run that is there already goes on by itself.
goes_on() {
  convoy "${job[@]}" --run.dir probe --run.steps 4 &&
    convoy "${job[@]}" --run.dir probe --run.steps 6
}
resumes=$(goes_on >/dev/null 2>&1 && echo yes)

about "Stopped on request, and gone on"
slow() { shape c1 20mbit && shape c2 20mbit; } # so that a run lasts long enough to be stopped
slow
long=(train --config net.ini --data.train train.convoy --run.steps 200 --parallel.strategy data
  --device.conv minimal)
if [ -z "$resumes" ]; then
  skip "this convoy does not go on with a run that is there"
else
  expect 0 "200 steps" launch_on_hosts -- "${long[@]}" --run.dir undisturbed
  start "${hosts[@]}" -- "${long[@]}" --run.dir stopped
  check "it trains" await "$limit" logged stopped 30
  kill -TERM "$launched"
  expect 75 "stopped on request" ended
  expect 0 "200 steps" launch_on_hosts -- "${long[@]}" --run.dir stopped
  undisturbed_end stopped 200
  start "${hosts[@]}" --cluster.restarts 2 -- "${long[@]}" --run.dir restarted \
    --run.checkpoint-every 20
  check "it trains" await "$limit" logged restarted 50
  crash c2
  expect 0 "200 steps" ended
  undisturbed_end restarted 200
fi

about "SLURM"
expect 2 "there is no sbatch here" env PATH=/nowhere "$binary" launch --cluster.kind slurm -- \
  "${job[@]}" --run.dir slurm
reason=$(no_slurm)
if [ -n "$reason" ]; then
  skip "$reason"
  finish
fi
check "Slurm runs on both hosts" slurm_up 2 "$work/slurm"
nodes=(--cluster.kind slurm --slurm.nodes 2 --cluster.interface "$network" --cluster.timeout 6
  --cluster.logs "$work/job-logs")

expect 0 "#SBATCH --nodes=2" convoy launch "${nodes[@]}" --dry-run -- "${job[@]}" --run.dir dry
expect 2 "SLURM has no partition lo; did you mean low?" convoy launch "${nodes[@]}" \
  --slurm.partition lo -- "${job[@]}" --run.dir refused
id=$(submit -- "${job[@]}" --run.dir slurm)
check "the job is completed" completed "$id"
check "its losses agree with those of one rank to 1e-4" same_losses slurm single 1e-4
expect 2 "srun has started 2 tasks without a plugin for MPI" srun -N2 -n2 --mpi=none \
  "$binary" "${job[@]}" --run.dir refused

about "The scripts of slurm/"
scripts=$here/../../slurm
export CONVOY=$binary CONFIG=net.ini TRAIN=train.convoy VAL=val.convoy NETWORK=$network
by_script() { # by_script SCRIPT WORDS...: the number of the submitted job
  sbatch --parsable --output="$work/job-logs/slurm-%A.out" "$scripts/$1" "${@:2}"
}
id=$(RUN=by-script by_script train.sbatch --parallel.strategy model)
check "train.sbatch: the job is completed" completed "$id"
check "train.sbatch: its losses agree with those of one rank to 1e-4" same_losses by-script single 1e-4
id=$(IMAGES=images PACKED=packed by_script pack.sbatch --size 32)
check "pack.sbatch: both jobs are completed" completed "$id"
expect 0 "a dataset of 48 images of 32x32 pixels in 4 classes" convoy inspect packed/train
expect 0 "a dataset of 19 images of 32x32 pixels in 4 classes" convoy inspect packed/val
id=$(STRATEGIES=single,model,data REPORT=compared by_script compare.sbatch --compare.rounds 2)
check "compare.sbatch: the job is completed" completed "$id"
check "compare.sbatch: it says which strategy is how much faster" contains "job-logs/slurm-$id.out" \
  "times as fast as"
check "compare.sbatch: a page and its figures" test -s compared/report.html -a -s compared/report.json
expect 0 "20 steps" env NODES=2 "$scripts/interactive.sh" "$binary" launch \
  --cluster.interface "$network" -- "${job[@]}" --run.dir interactive

about "SLURM: a job that is asked to stop goes back into the queue"
if [ -z "$resumes" ]; then
  skip "this convoy does not go on with a run that is there"
else
  id=$(submit --cluster.requeues 2 -- "${long[@]}" --run.dir requeued)
  check "it trains" await "$limit" logged requeued 30
  scancel -b -s USR1 "$id"
  check "it was put back" await 30 eval '[ "$(restarts_of "$id")" -eq 1 ]'
  check "the job is completed" completed "$id"
  undisturbed_end requeued 200
fi
finish
