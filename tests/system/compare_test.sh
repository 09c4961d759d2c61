#!/usr/bin/env bash
# convoy compare on two ranks, and convoy plan from what it measured: table, JSON, pages, refusals.
# shellcheck source=tests/system/common.sh disable=SC2317 # functions are called by expect and check
. "$(dirname "$0")/common.sh"

python=$(command -v python3 || true)

# json FILE EXPRESSION: true of the object d that the file holds.
json() {
  "$python" -c '
import json, sys
with open(sys.argv[1]) as f:
    d = json.load(f)
s = {x["strategy"]: x for x in d.get("strategies", [])}
value = eval(sys.argv[2])
print(value)
sys.exit(not value)' "$@"
}
json_check() { # json_check WHAT FILE EXPRESSION
  if [ -n "$python" ]; then check "$1" json "$2" "$3"; else skip "$1: needs python3"; fi
}

self_contained() { # no address, no other file
  ! grep -nE 'https?:|//[a-z]+\.|src=|@import|url\(' "$1" && grep -q '</html>' "$1"
}

setup
job=(compare --config net.ini --device.conv minimal --compare.rounds 3 --compare.steps 2)

about "All strategies that fit two ranks, on random pixels"
expect 0 "the bits of single" ranks 2 "${job[@]}" --model.classes 4 --json c.json --html c.html
cp .out random.txt
for words in "strategy " "single " "model " "data " "waits for ranks" "held in memory together"; do
  check "the table says \"$words\"" contains random.txt "$words"
done
tr '\n' ' ' <random.txt >line.txt # sentences are wrapped
check "a sentence says who wins and why" grep -qE 'times as fast as .* computes .* waits' line.txt
json_check "the order is that of strategies, single first" c.json \
  'list(s)[:3] == ["single", "model", "data"]'
json_check "losses of model and data are the bits of single's at each of 3 x (1 + 2) steps" c.json \
  'all(s[n]["same_bits"] and s[n]["losses"] == s["single"]["losses"] and len(s[n]["losses"]) == 9 for n in ("model", "data"))'
json_check "the loss moves" c.json 'len(set(s["single"]["losses"])) == 9'
json_check "bytes that were counted are those predicted, on every rank" c.json \
  'all(x["payload_bytes"]["min"] == x["payload_bytes"]["max"] == x["predicted_bytes"] for x in s.values())'
json_check "bytes by layer add up to them" c.json \
  'all(sum(t["activation_bytes"] + t["gradient_bytes"] for t in x["traffic"]) == x["predicted_bytes"] for x in s.values())'
json_check "the parts of a step are at most the step" c.json \
  'all(sum(x["ms"][p]["median"] for p in ("forward", "backward", "update")) <= 1.01 * x["ms"]["step"]["max"] for x in s.values())'
json_check "speeds are of all rounds, and ordered" c.json \
  'all(len(x["images_per_second"]["rounds"]) == 3 and 0 < x["images_per_second"]["min"] <= x["images_per_second"]["median"] <= x["images_per_second"]["max"] for x in s.values())'
json_check "each rank's memory is known" c.json 'all(x["memory_bytes"]["min"] > 0 for x in s.values())'
check "the page needs nothing else" self_contained c.html
check "nothing is left beside the files" absent '*.partial'

about "Real images; nets made anew for each turn"
expect 0 "made anew for each turn" ranks 2 "${job[@]}" --data.train train.convoy \
  --compare.strategies data,single --compare.hold one --json one.json
json_check "data is the reference, and single has its bits" one.json \
  'list(s) == ["data", "single"] and s["single"]["same_bits"] and s["single"]["loss_difference"] == 0'
expect 0 "held in memory together" ranks 2 "${job[@]}" --data.train train.convoy \
  --compare.strategies data,single --json all.json
expect 0 "9 steps" ranks 2 train --config net.ini --device.conv minimal --data.train train.convoy \
  --run.dir run --run.steps 9 --parallel.strategy data
losses run | awk '{ printf "%s%s", (NR > 1 ? ", " : "["), $2 } END { print "]" }' >run.losses
json_check "compare trains what train trains" all.json \
  's["data"]["losses"] == json.load(open("run.losses"))'
json_check "nets made anew train the same first steps" one.json \
  's["data"]["losses"] == json.load(open("run.losses"))[:3]'

about "Asked for what cannot be"
expect 2 "names data twice" ranks 2 "${job[@]}" --compare.strategies data,data
expect 2 "names auto" ranks 2 "${job[@]}" --compare.strategies auto
expect 2 "'shared'; use" ranks 2 "${job[@]}" --compare.strategies shared
expect 2 "set --model.towers 2" ranks 2 "${job[@]}" --model.towers 1 --compare.strategies single,model
expect 2 "cannot be divided evenly" ranks 2 "${job[@]}" --solver.batch 7 --compare.strategies data
expect 2 "there is no folder nowhere" ranks 2 "${job[@]}" --json nowhere/c.json
expect 0 "left out" ranks 2 "${job[@]}" --model.towers 1 --model.classes 4

about "bench writes its figures to a file, or to standard output"
small=(--config net.ini --model.classes 4)
for batch in 8 32; do
  expect 0 "images/s" ranks 2 bench "${small[@]}" --solver.batch $batch --parallel.strategy data \
    --device.conv minimal --steps 2 --warmup 1 --json bench-$batch.json
done
expect 0 '"kind":"bench"' convoy bench "${small[@]}" --steps 1 --warmup 0 --json -
json_check "the file has the layers' times" bench-8.json 'len(d["layers"]) > 8 and d["ranks"] == 2'

about "A plan from what was measured, against it, and from a description"
# shellcheck disable=SC2054 # commas belong to a value
plan=(plan "${small[@]}" --cluster.gpus-per-node 2 --plan.batches 8,64)
expect 0 "fitted to 5 measured steps" convoy "${plan[@]}" --measured c.json --against c.json --json p.json \
  --html p.html
tr -s '\n ' ' ' <.out >plan.txt
check "it prints its model" contains plan.txt "2(n-1) latency + 2(n-1)/n m / rate"
check "it prints the median error" contains plan.txt "median error"
check "it names the quickest" grep -qE 'is the quickest from batch' plan.txt
json_check "each strategy at each batch" p.json \
  'all({x["strategy"] for x in d["predictions"] if x["batch"] == b} >= {"single", "model", "data"} for b in (8, 64))'
json_check "the predicted bytes are compare's" p.json \
  '{x["strategy"]: x["payload_bytes"] for x in d["predictions"] if x["batch"] == 8}["data"] == {x["strategy"]: x["predicted_bytes"] for x in json.load(open("c.json"))["strategies"]}["data"]'
check "the page needs nothing else" self_contained p.html
expect 0 "fitted to 2 measured steps" convoy "${plan[@]}" --measured bench-8.json,bench-32.json
expect 0 "from the description of h100" convoy plan --plan.device h100 --cluster.nodes 256 \
  --cluster.gpus-per-node 8 --plan.ranks 8,2048 --plan.batches 4096,65536
printf '[cluster]\nnodes = 4\n[plan]\ninter-gbit = 2\n' >cluster.ini
expect 0 "4 nodes of 2 ranks" convoy "${plan[@]}" --describe cluster.ini
expect 2 "exchanged" convoy plan --cluster.nodes 2 --cluster.gpus-per-node 2 --plan.inter-gbit 1000
expect 2 "plan.inter-gbit must be" convoy plan --plan.inter-gbit -1
expect 2 "share no memory" convoy plan --cluster.nodes 2 --plan.all-reduce shared-memory
expect 2 "asks for 16 ranks" convoy plan --plan.ranks 16
expect 2 "the devices that plan knows" convoy plan --plan.device abacus
expect 2 "the strategies are" convoy plan --plan.strategies magic
expect 2 "describe the cluster that was measured" convoy plan "${small[@]}" --measured c.json --against c.json
expect 3 "was measured with another net" convoy plan --measured c.json
echo '{"kind": "eval"}' >other.json
expect 3 "is not a whole file of bench --json or compare --json" convoy plan --measured other.json
expect 3 "cannot be read" convoy plan --measured missing.json

finish
