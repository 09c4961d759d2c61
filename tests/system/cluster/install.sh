#!/usr/bin/env bash
# Installs the Debian 12 packages that the testbed of tests/system/cluster needs beside Convoy's own.
set -euo pipefail

packages=(iproute2 util-linux munge slurm-wlm slurm-wlm-basic-plugins hdf5-tools)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
[ "$(id -u)" -eq 0 ] || sudo=(sudo)
echo "Installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -q
"${sudo[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
