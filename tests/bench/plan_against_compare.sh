#!/usr/bin/env bash
# Holds `convoy plan` against `convoy compare` on hosts of one machine (network namespaces with shaped
# links, tests/system/cluster): link rates x batches x strategies, the errors as a table.
#
#   tests/bench/plan_against_compare.sh CONVOY OUTPUT [convoy options...]
#
# Needs root, python3, and a machine with nothing else to do; OUTPUT keeps every JSON file. Options go to
# compare and plan alike (default: the full-size net). By environment:
#   RATES       Mbit/s, default "1000 500 250 100"
#   BATCHES     default "32 64 128"
#   STRATEGIES  default "single,model,data"
#   HOSTS       default 2; one rank of one thread each
#   CALIBRATE   batches that layers' times are fitted to, default "32 128": measured on these hosts with
#               links as quick as the machine makes them
#   ROUNDS      default 3
set -euo pipefail

here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/system/cluster/hosts.sh disable=SC1091
. "$here/../system/cluster/hosts.sh"
if [ $# -lt 2 ] || [ ! -x "$1" ]; then
  sed -n '2,/^set/p' "$0" | sed 's/^# \{0,1\}//; /^set/d' >&2
  exit 2
fi
why=$(no_testbed)
if [ -n "$why" ]; then
  echo "no testbed: $why" >&2
  exit 1
fi
[ -n "${CONVOY_TESTBED:-}" ] || in_testbed "$(realpath "$0")" "$@"

binary=$(realpath "$1")
mkdir -p "$2"
output=$(realpath "$2")
shift 2
options=("$@")
read -ra rates <<<"${RATES:-1000 500 250 100}"
read -ra batches <<<"${BATCHES:-32 64 128}"
read -ra calibrate <<<"${CALIBRATE:-32 128}"
strategies=${STRATEGIES:-single,model,data}
hosts=${HOSTS:-2}
rounds=${ROUNDS:-3}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
hosts_up "$hosts" "$scratch"
names=$(seq -s, -f 'c%g' 1 "$hosts")

on_hosts() {
  mpirun --mca plm rsh --mca plm_rsh_agent "$agent" --mca pml ob1 --mca btl tcp,self \
    --mca btl_tcp_if_include "$network" --mca oob_tcp_if_include "$network" --bind-to none \
    --mca mpi_yield_when_idle 1 --host "$names" -np "$hosts" "$@"
}
compare() { # compare BATCH FILE
  [ -s "$2" ] || on_hosts "$binary" compare --device.threads 1 --device.conv minimal --model.towers 2 \
    --compare.strategies "$strategies" --compare.rounds "$rounds" --compare.steps 2 \
    --solver.batch "$1" --json "$2" "${options[@]}" </dev/null >"$2.txt" 2>"$2.log" ||
    { tail -5 "$2.log" >&2; exit 1; }
}

measured=()
for batch in "${calibrate[@]}"; do
  echo "layers' times, batch $batch"
  compare "$batch" "$output/layers-$batch.json"
  measured+=("$output/layers-$batch.json")
done
layers=$(IFS=,; echo "${measured[*]}")

for rate in "${rates[@]}"; do
  for ((host = 1; host <= hosts; ++host)); do shape "c$host" "${rate}mbit"; done
  for batch in "${batches[@]}"; do
    echo "$rate Mbit/s, batch $batch"
    compare "$batch" "$output/compare-$rate-$batch.json"
    "$binary" plan --model.towers 2 --cluster.nodes "$hosts" --cluster.gpus-per-node 1 \
      --plan.inter-gbit "$(awk -v mbit="$rate" 'BEGIN { print mbit / 1000 }')" --plan.batches "$batch" \
      --plan.strategies "$strategies" --measured "$layers" \
      --against "$output/compare-$rate-$batch.json" --json "$output/plan-$rate-$batch.json" \
      "${options[@]}" >"$output/plan-$rate-$batch.txt"
  done
done

python3 - "$output" <<'PYTHON'
import json
import pathlib
import statistics
import sys

errors, right, cases = [], 0, 0
print(f"{'Mbit/s':>7} {'batch':>6}  {'strategy':<8} {'measured ms':>12} {'predicted ms':>13} {'error':>8}")
files = pathlib.Path(sys.argv[1]).glob("plan-*-*.json")
for path in sorted(files, key=lambda p: [-int(x) for x in p.stem.split("-")[1:]]):
    rate = path.stem.split("-")[1]
    lines = json.loads(path.read_text())["checked"]
    for line in lines:
        errors.append(abs(line["error"]))
        print(f"{rate:>7} {line['batch']:>6}  {line['strategy']:<8} {line['measured_ms']:>12.1f} "
              f"{line['predicted_ms']:>13.1f} {100 * line['error']:>+7.1f} %")
    cases += 1
    quickest = [min(lines, key=lambda line: line[kind])["strategy"] for kind in ("measured_ms", "predicted_ms")]
    right += quickest[0] == quickest[1]
    if quickest[0] != quickest[1]:
        print(f"{'':>15} {quickest[0]} was the quickest, {quickest[1]} was predicted")
print(f"median error {100 * statistics.median(errors):.1f} % of {len(errors)} steps; "
      f"the quickest strategy was predicted in {right} of {cases} cases")
PYTHON
