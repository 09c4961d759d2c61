#!/usr/bin/env bash
# Installs the Debian 12 packages that Convoy is built from, those that are missing.
set -euo pipefail

packages=(
  build-essential cmake ninja-build pkg-config
  openmpi-bin libopenmpi-dev
  libhdf5-dev
  libdnnl-dev
  libboost-program-options-dev
  libturbojpeg0-dev libpng-dev
  libisal-dev
  libarchive-dev zlib1g-dev # ILSVRC's tars, and its devkit's meta.mat
  protobuf-compiler libprotobuf-dev # event files of TensorBoard, ONNX and caffemodel files
  libfmt-dev libspdlog-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev
  qemu-user
)

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
