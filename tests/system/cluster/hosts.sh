# Hosts on one machine: network namespaces c1..cN on a bridge, reached through host-shell. To be
# sourced by a script that in_testbed has started.
# shellcheck shell=bash disable=SC2034,SC2154 # variables for and of those who source it
testbed=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
agent=$testbed/host-shell
network=10.77.0.0/24
controller=10.77.0.254

# Why there can be no testbed here; nothing where there can.
no_testbed() {
  local tool
  if [ "$(id -u)" -ne 0 ]; then
    echo "hosts as network namespaces need root"
    return
  fi
  for tool in ip tc nsenter unshare; do
    if ! command -v "$tool" >/dev/null; then
      echo "$tool is not installed (tests/system/cluster/install.sh installs what is needed)"
      return
    fi
  done
  if ! unshare --mount --net --pid --uts --ipc --fork ip link add probe type bridge 2>/dev/null; then
    echo "this machine does not permit namespaces or bridges"
  fi
}

# in_testbed SCRIPT ARGUMENTS...: runs the script in namespaces of its own. Whatever it leaves behind,
# processes, hosts, links and mounts, ends with it, also where it is killed.
in_testbed() {
  CONVOY_TESTBED=1 exec unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc "$@"
}

# enter_testbed N: for a script that has sourced common.sh: its folder in memory, so that nothing of it
# outlives the testbed, N hosts, and MPI told to use their network.
enter_testbed() {
  mount -t tmpfs tmpfs "$work" && cd "$work" || exit 1
  trap 'cd / && umount -l "$work" && rmdir "$work"' EXIT
  export TESTBED_SETUP=$work/setup OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self
  mkdir setup
  hosts_up "$1" "$work"
}

# hosts_up N FOLDER: makes c1..cN; the folder takes what belongs to them.
hosts_up() {
  local i
  mount -t tmpfs tmpfs /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns; }
  hostname controller
  ip link set lo up
  ip link add br0 type bridge
  ip link set br0 up
  ip addr add "$controller/24" dev br0
  { printf '127.0.0.1 localhost\n%s controller\n' "$controller"
    for ((i = 1; i <= $1; ++i)); do printf '10.77.0.%d c%d\n' "$i" "$i"; done; } >"$2/hosts"
  mount --bind "$2/hosts" /etc/hosts
  for ((i = 1; i <= $1; ++i)); do
    ip netns add "c$i"
    ip link add "v$i" type veth peer name eth0 netns "c$i"
    ip link set "v$i" master br0 up
    ip -n "c$i" link set lo up
    ip -n "c$i" addr add "10.77.0.$i/24" dev eth0
    ip -n "c$i" link set eth0 up
  done
}

# shape HOST RATE: limits what the host sends, such as to 200mbit.
shape() { tc -n "$1" qdisc replace dev eth0 root tbf rate "$2" burst 256kb limit 8mb; }
cut_link() { ip -n "$1" link set eth0 down; }
mend_link() { ip -n "$1" link set eth0 up; }
# Every process of the host is killed, as in a crash.
crash() { ip netns pids "$1" | xargs -r kill -9; }
# Bytes that the host has sent.
sent_bytes() { ip netns exec "$1" cat /sys/class/net/eth0/statistics/tx_bytes; }

# await SECONDS COMMAND...: until the command succeeds.
await() {
  local tries=$(($1 * 10))
  shift
  while ! "$@"; do
    [ $((tries--)) -gt 0 ] || return 1
    sleep 0.1
  done
}
# logged RUN LINES: the run has got so far.
logged() { [ -s "$1/metrics.jsonl" ] && [ "$(wc -l <"$1/metrics.jsonl")" -ge "$2" ]; }
# undisturbed_end RUN STEPS: its last weights are those of the run `undisturbed`, all bits but the last
# few of a float.
undisturbed_end() {
  if ! command -v h5diff >/dev/null && [ -z "$(find_h5py)" ]; then
    skip "comparing weights needs h5diff (Debian: hdf5-tools) or h5py, and neither is here"
    return
  fi
  local checkpoint
  checkpoint=$(printf 'checkpoints/step-%08d.h5' "$2")
  check "$1: the weights of an undisturbed run" same_weights "$1/$checkpoint" \
    "undisturbed/$checkpoint" 1e-7
}
