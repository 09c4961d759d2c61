#!/usr/bin/env bash
# debian_root.sh BUILD [MIRROR]: packs a build for CPUs into its Debian packages, installs the
# program's in a bare Debian 12 that debootstrap makes, trains there on one rank and on two, then
# installs the libraries' and links a project with them. Needs root, a mirror of Debian, and 3 GB in
# $TMPDIR; takes minutes, so that it is no part of the test suite.
set -euo pipefail

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  echo "debian_root.sh must run as root, and needs the package debootstrap" >&2
  exit 2
fi
build=$(realpath "$1")
consumer=$(realpath "$(dirname "$0")/consumer")
mirror=${2:-http://deb.debian.org/debian}
work=$(mktemp -d)
root=$work/root
trap 'rm -rf "$work"' EXIT

echo "Packing"
cpack --config "$build/CPackConfig.cmake" -B "$work/packages" >"$work/log" || {
  cat "$work/log"
  exit 1
}

echo "A bare Debian 12"
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/log" || {
  tail -20 "$work/log"
  exit 1
}
cp "$work"/packages/convoy_*.deb "$root/root/convoy.deb"
cp "$work"/packages/libconvoy-dev_*.deb "$root/root/libconvoy-dev.deb"
cp -r "$consumer" "$root/root/consumer"
cp /etc/resolv.conf "$root/etc/resolv.conf"

# What a person would type there.
cat >"$root/root/try.sh" <<'INSIDE'
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
apt-get update -q
apt-get install -y -q --no-install-recommends /root/convoy.deb
cd /root
convoy --version
convoy synth --output images
convoy pack --input images/train --output train --size 72
convoy pack --input images/val --output val --size 72 --classes train
config=/usr/share/convoy/configs/quickstart.ini
train=(train --config "$config" --data.train train --data.val val --device.threads 1 --run.steps 40)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
convoy "${train[@]}" --run.dir single
mpirun -n 2 --oversubscribe convoy "${train[@]}" --parallel.strategy model --run.dir model
convoy eval --run.dir model --data val
convoy inspect single model
test -s /usr/share/man/man1/convoy-train.1.gz
bash -n /usr/share/bash-completion/completions/convoy
apt-get remove -y -q convoy
test ! -e /usr/bin/convoy

apt-get install -y -q --no-install-recommends build-essential /root/libconvoy-dev.deb
cmake -S consumer -B consumer/build
cmake --build consumer/build
consumer/build/consumer
INSIDE

echo "Installing and training there"
# The mounts end with the process that sees them.
# shellcheck disable=SC2016 # the other bash expands $1
unshare --mount --propagation private bash -euc '
  mount -t proc proc "$1/proc"
  mount -t sysfs -o ro sys "$1/sys"
  mount -t tmpfs shm "$1/dev/shm"
  chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root bash /root/try.sh
' bash "$root"
echo "The package works in a bare Debian 12"
