# Convoy for NVIDIA GPUs (and CPUs), from the repository's folder; the host needs a driver for CUDA 13
# and NVIDIA's container toolkit:
#
#   docker build -f cmake/packaging/docker/cuda.Dockerfile -t convoy-cuda .
#   docker run --rm --gpus all --shm-size 1g -v "$PWD:/data" convoy-cuda doctor
#   docker run --rm --gpus all --shm-size 1g -v "$PWD:/data" --entrypoint mpirun convoy-cuda \
#     -n 2 convoy train ...
#
# NVIDIA's images have CUDA, cuDNN and NCCL; the second stage installs the packages whose libraries
# the program was found to be linked with. It has not been given to Docker yet.
ARG CUDA=13.0.2
FROM nvidia/cuda:${CUDA}-cudnn-devel-ubuntu24.04 AS build
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    build-essential cmake ninja-build pkg-config \
    libopenmpi-dev libhdf5-dev libdnnl-dev libboost-program-options-dev libturbojpeg0-dev libpng-dev \
    libisal-dev libarchive-dev zlib1g-dev libfmt-dev libspdlog-dev nlohmann-json3-dev \
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
    "-DCMAKE_CUDA_ARCHITECTURES=${CUDA_ARCHITECTURES}" -DCMAKE_SKIP_INSTALL_RPATH=ON \
  && cmake --build /build \
  && cmake --install /build --prefix /opt/convoy --component program --strip
# The toolkit's own packages are in the second image.
RUN ldd /opt/convoy/bin/convoy | sed -n 's/.* => \([^ ]*\) .*/\1/p' \
  | while read -r library; do dpkg-query -S "*/$(basename "$(realpath "$library")")"; done \
  | sed 's/:.*//' | grep -Ev 'cuda|cublas|cudnn|nccl' | sort -u >/opt/convoy/packages.txt

FROM nvidia/cuda:${CUDA}-cudnn-runtime-ubuntu24.04
ENV DEBIAN_FRONTEND=noninteractive
COPY --from=build /opt/convoy /usr/local
RUN apt-get update \
  && xargs apt-get install -y --no-install-recommends openmpi-bin </usr/local/packages.txt \
  && rm -rf /var/lib/apt/lists/* /usr/local/packages.txt
# mpirun inside a container runs as its root.
ENV OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
WORKDIR /data
ENTRYPOINT ["convoy"]
