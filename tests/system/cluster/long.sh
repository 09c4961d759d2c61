#!/usr/bin/env bash
# The long cases on four hosts: every strategy on several link speeds, and jobs under Slurm that are
# preempted, lose a node, or have a link cut; each ends completed, with the weights of an undisturbed
# run. By hand, as root: tests/system/cluster/long.sh build/release/convoy (about ten minutes).
# shellcheck disable=SC1091,SC2154,SC2317 # sourced files, their variables; functions called by name
# shellcheck disable=SC2054,SC2016 # options with commas; text that is evaluated later
here=$(dirname "$(realpath "$0")")
. "$here/hosts.sh"
. "$here/slurm.sh"
if [ -z "${CONVOY_TESTBED:-}" ]; then
  reason=$(no_testbed)
  [ -n "$reason" ] || reason=$(no_slurm)
  if [ -n "$reason" ]; then
    echo "skipped: $reason"
    exit 0
  fi
  in_testbed "$0" "$@"
fi
. "$here/../common.sh"
enter_testbed 4
limit=600
setup
four=(--cluster.hosts c1,c2,c3,c4 --cluster.agent "$agent" --cluster.interface "$network")
# shellcheck disable=SC2034 # read by submit
nodes=(--cluster.kind slurm --slurm.nodes 4 --cluster.interface "$network" --cluster.timeout 6
  --cluster.logs "$work/job-logs" --cluster.requeues 5)
job=(train --config net.ini --data.train train.convoy)
shape_all() {
  local host
  for host in c1 c2 c3 c4; do shape "$host" "$1"; done
}

about "Every strategy that this convoy has, at several link speeds"
expect 0 "20 steps" convoy "${job[@]}" --run.dir single
# The names as help lists them: auto|single|model|...
read -ra strategies <<<"$(convoy help train | sed -n 's/.*--parallel.strategy auto|single|\([a-z|]*\).*/\1/p' | tr '|' ' ')"
check "there are strategies" test "${#strategies[@]}" -ge 2
for rate in 1gbit 200mbit 50mbit; do
  shape_all "$rate"
  for strategy in "${strategies[@]}"; do
    ranks=4
    if [ "$strategy" = model ]; then ranks=2; fi # towers are two
    expect 0 "20 steps" convoy launch --cluster.hosts "$(seq -s, -f c%g "$ranks")" "${four[@]:2}" -- \
      "${job[@]}" --parallel.strategy "$strategy" --run.dir "$strategy-$rate"
    check "$strategy on $ranks hosts at $rate: losses of one rank to 1e-4" \
      same_losses "$strategy-$rate" single 1e-4
  done
done

about "Real Slurm on four nodes"
shape_all 20mbit # so that runs last long enough
check "Slurm runs on four hosts" slurm_up 4 "$work/slurm"
long=(train --config net.ini --data.train train.convoy --run.steps 300 --parallel.strategy data
  --device.conv minimal --run.checkpoint-every 20)
id=$(submit -- "${long[@]}" --run.dir undisturbed)
check "an undisturbed run is completed" completed "$id"

# disturb NAME COMMAND...: submits a run, does the command to it once it has made checkpoints, and
# expects it to be completed all the same. $id is the job.
disturb() {
  local name=$1
  shift
  id=$(submit -- "${long[@]}" --run.dir "$name")
  check "$name: it trains" await "$limit" logged "$name" 60
  "$@"
  check "$name: the job was put back" await 120 put_back "$id"
  check "$name: the job is completed" completed "$id"
  undisturbed_end "$name" 300
}
put_back() { [ "$(restarts_of "$1")" -ge 1 ]; }

preempt() { sbatch --parsable -p high -N4 --ntasks-per-node=4 --exclusive --output=/dev/null --wrap "sleep 5" >/dev/null; }
# All processes of the node are killed, its slurmd too, which comes back after a while.
crash_node() {
  crash "$1"
  (sleep 15 && start_slurmd "$1" "$work/slurm" && scontrol update nodename="$1" state=resume) \
    >/dev/null 2>&1 &
}
cut_for_a_while() { # longer than SlurmdTimeout
  cut_link "$1"
  (sleep 25 && mend_link "$1") >/dev/null 2>&1 &
}

about "Disturbed runs"
disturb usr1 eval 'scancel -b -s USR1 "$id"'
disturb preempted preempt
disturb crashed crash_node c3
disturb crashed-first-node crash_node c1
disturb cut cut_for_a_while c2
finish
