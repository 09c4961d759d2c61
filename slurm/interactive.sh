#!/bin/bash
# Opens a session on nodes of the cluster, where `convoy launch -- train ...` starts ranks on all of them.
#
#   slurm/interactive.sh                    a shell; convoy launch takes the allocation's ranks
#   slurm/interactive.sh COMMAND [words]    runs the command in the allocation and gives it back
#
# What a site adapts: the variables below, and SALLOC for whatever else the site asks for, such as
#   SALLOC="--account=physics --gpus-per-node=4" slurm/interactive.sh
set -euo pipefail

nodes=${NODES:-2}
ranks_per_node=${RANKS_PER_NODE:-1}
minutes=${MINUTES:-60}
read -ra further <<<"${SALLOC:-}"
if [ -n "${PARTITION:-}" ]; then further+=(--partition="$PARTITION"); fi

if [ $# -eq 0 ]; then
  set -- "${SHELL:-/bin/bash}"
  echo "In the session: convoy launch -- train --config FILE ... starts $((nodes * ranks_per_node)) ranks; exit ends it."
fi
exec salloc --job-name=convoy --nodes="$nodes" --ntasks-per-node="$ranks_per_node" \
  --time="$minutes" "${further[@]}" "$@"
