# Convoy for CPUs, in Debian 12, from the repository's folder:
#
#   docker build -f cmake/packaging/docker/cpu.Dockerfile -t convoy .
#   docker run --rm --shm-size 1g -v "$PWD:/data" convoy synth --output images
#   docker run --rm --shm-size 1g -v "$PWD:/data" --entrypoint mpirun convoy -n 2 convoy train ...
#
# Ranks of a host share memory, of which Docker gives a container 64 MB unless told otherwise.
# The second stage's commands are those of tests/packaging/debian_root.sh, which were run in a bare
# Debian 12; the file itself has not been given to Docker yet.
FROM debian:12 AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    build-essential cmake ninja-build pkg-config \
    libopenmpi-dev libhdf5-dev libdnnl-dev libboost-program-options-dev libturbojpeg0-dev libpng-dev \
    libisal-dev libarchive-dev zlib1g-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libprotobuf-dev protobuf-compiler \
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
RUN cmake --preset release -B /build -DCONVOY_CUDA=OFF -DCONVOY_TESTS=OFF \
  && cmake --build /build \
  && cpack --config /build/CPackConfig.cmake -B /packages

FROM debian:12-slim
COPY --from=build /packages/convoy_*.deb /tmp/
RUN apt-get update \
  && apt-get install -y --no-install-recommends /tmp/convoy_*.deb \
  && rm -rf /var/lib/apt/lists/* /tmp/convoy_*.deb
# mpirun inside a container runs as its root.
ENV OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
WORKDIR /data
ENTRYPOINT ["convoy"]
