# Convoy for NVIDIA GPUs (and CPUs), in Debian 12, from the repository's folder; hosts need a driver for
# CUDA 13 and NVIDIA's container toolkit:
#
#   docker build -f cmake/packaging/docker/cuda.Dockerfile -t convoy-cuda .
#   docker run --rm --gpus all --shm-size 1g -v "$PWD:/data" convoy-cuda doctor
#   docker run --rm --gpus all --shm-size 1g -v "$PWD:/data" --entrypoint mpirun convoy-cuda \
#     -n 2 convoy train ...
#
# As cpu.Dockerfile, with the packages of NVIDIA's source for Debian 12. The build's options were
# checked with CUDA 13.0; neither the names of those packages nor the file itself have been tried yet.
FROM debian:12 AS base
ENV DEBIAN_FRONTEND=noninteractive
ADD https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/cuda-keyring_1.1-1_all.deb \
  /tmp/cuda-keyring.deb
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates /tmp/cuda-keyring.deb \
  && rm -rf /var/lib/apt/lists/* /tmp/cuda-keyring.deb

FROM base AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    build-essential cmake ninja-build pkg-config \
    libopenmpi-dev libhdf5-dev libdnnl-dev libboost-program-options-dev libturbojpeg0-dev libpng-dev \
    libisal-dev libarchive-dev zlib1g-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libprotobuf-dev protobuf-compiler \
    cuda-toolkit-13-0 libcudnn9-dev-cuda-13 libnccl-dev \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /convoy
COPY CMakeLists.txt CMakePresets.json LICENSE README.md ./
COPY cmake cmake
COPY configs configs
COPY core core
COPY dist dist
COPY io io
COPY launcher launcher
COPY slurm slurm
ARG CUDA_ARCHITECTURES=80;90
RUN cmake --preset release -B /build -DCONVOY_CUDA=ON -DCONVOY_TESTS=OFF \
    "-DCMAKE_CUDA_ARCHITECTURES=${CUDA_ARCHITECTURES}" \
  && cmake --build /build \
  && cpack --config /build/CPackConfig.cmake -B /packages

FROM base
COPY --from=build /packages/convoy_*.deb /tmp/
RUN apt-get update \
  && apt-get install -y --no-install-recommends /tmp/convoy_*.deb \
  && rm -rf /var/lib/apt/lists/* /tmp/convoy_*.deb
# What NVIDIA's container toolkit hands in; mpirun inside a container runs as its root.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility \
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
WORKDIR /data
ENTRYPOINT ["convoy"]
