# Real Slurm on the hosts of hosts.sh: munged, slurmctld on the controller, a slurmd on each host. To
# be sourced after hosts.sh.
# shellcheck shell=bash disable=SC2154 # variables of hosts.sh

# Why there can be no Slurm here; nothing where there can.
no_slurm() {
  local tool
  for tool in munged slurmctld slurmd sbatch; do
    if ! command -v "$tool" >/dev/null; then
      echo "$tool is not installed (tests/system/cluster/install.sh installs what is needed)"
      return
    fi
  done
}

write_slurm_conf() { # write_slurm_conf N FOLDER
  cat >"$2/slurm.conf" <<CONF
ClusterName=testbed
SlurmctldHost=controller($controller)
AuthType=auth/munge
AuthInfo=socket=$2/munge.socket,cred_expire=5
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$2/state
SlurmdSpoolDir=$2/spool/%n
SlurmctldPidFile=$2/slurmctld.pid
SlurmdPidFile=$2/slurmd-%n.pid
SlurmctldLogFile=$2/slurmctld.log
SlurmdLogFile=$2/slurmd-%n.log
TmpFS=$2/tmp
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=pmix
PropagateResourceLimits=NONE
ReturnToService=2
KillWait=5
SlurmdTimeout=10
SchedulerParameters=bf_interval=1,sched_min_interval=0,batch_sched_delay=0,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
JobCompType=jobcomp/filetxt
JobCompLoc=$2/finished.txt
NodeName=c[1-$1] NodeAddr=10.77.0.[1-$1] Sockets=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=4000 State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
}

start_slurmd() { # start_slurmd HOST FOLDER
  "$agent" "$1" "SLURM_CONF=$2/slurm.conf slurmd -N $1" || echo "slurmd does not start on $1"
}

# slurm_up N FOLDER: starts it on c1..cN and waits until every node is idle.
slurm_up() {
  local i try
  mkdir -p "$2/state" "$2/tmp"
  dd if=/dev/urandom of="$2/munge.key" bs=1k count=1 status=none
  chmod 600 "$2/munge.key"
  munged --force --key-file="$2/munge.key" --socket="$2/munge.socket" --pid-file="$2/munged.pid" \
    --log-file="$2/munged.log" --seed-file="$2/munged.seed" || return 1
  write_slurm_conf "$@"
  export SLURM_CONF=$2/slurm.conf
  slurmctld || return 1
  for ((i = 1; i <= $1; ++i)); do
    mkdir -p "$2/spool/c$i"
    start_slurmd "c$i" "$2"
  done
  for ((try = 0; try < 150; ++try)); do
    [ "$(sinfo -h -N -p low -t idle -o %N 2>/dev/null | sort -u | wc -l)" -eq "$1" ] && return 0
    sleep 0.1
  done
  tail -5 "$2"/*.log
  return 1
}

# How a job stands: RUNNING, PENDING, ...; COMPLETED, FAILED ... where it is over.
job_state() { scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }

# All parts of the job, where it is an array, are in this state.
job_is() { [ "$(job_state "$1" | sort -u)" = "$2" ]; }
restarts_of() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p'; }
completed() { # completed JOB: it is, in time
  if await "$limit" job_is "$1" COMPLETED; then return 0; fi
  scontrol show job "$1"
  cat "$work/job-logs/slurm-$1.out"
  return 1
}
# submit ARGUMENTS...: the number of the job that launch submits to ${nodes[@]}.
submit() {
  convoy launch "${nodes[@]}" "$@" 2>&1 | tee submitted |
    sed -n 's/^job \([0-9]*\) is submitted.*/\1/p'
}
