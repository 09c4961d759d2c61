# Debian packages by CPack: `cpack --config build/release/CPackConfig.cmake` makes convoy (the program)
# and libconvoy-dev (headers and libraries). DEBFULLNAME and DEBEMAIL name whoever packages.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME convoy)
set(CPACK_PACKAGE_VENDOR Convoy)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/packaging/debian/finish.cmake)

set(CPACK_DEBIAN_PACKAGE_MAINTAINER "Convoy developers <convoy@packages.invalid>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(CPACK_DEBIAN_PACKAGE_MAINTAINER "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME convoy)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "trains AlexNet on a cluster
Trains AlexNet on one rank or on many, by model or data parallelism, with the
same result under each: packs images, trains, evaluates, measures and
predicts what strategies cost. MPI carries the exchanges.")
# Libraries by dpkg-shlibdeps; Open MPI's runs even a single rank with help of its programs.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS openssh-client)  # launch --cluster.hosts
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "bash-completion, slurm-client")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libconvoy-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "libraries of Convoy, which trains AlexNet on a cluster
Headers, static libraries and a CMake package: find_package(Convoy) gives
Convoy::core, Convoy::io, Convoy::dist and Convoy::launcher.")
string(JOIN ", " CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  cmake pkg-config libopenmpi-dev libhdf5-dev libdnnl-dev libboost-program-options-dev
  libturbojpeg0-dev libpng-dev libisal-dev libarchive-dev zlib1g-dev libfmt-dev libspdlog-dev
  nlohmann-json3-dev libprotobuf-dev protobuf-compiler)

# Of a build with CUDA: the packages of NVIDIA's source, which dpkg-shlibdeps learns nothing from.
if(CONVOY_CUDA_BUILD STREQUAL "ON")
  set(cuda ${CUDAToolkit_VERSION_MAJOR}-${CUDAToolkit_VERSION_MINOR})
  string(APPEND CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS
    ", cuda-cudart-${cuda}, libcublas-${cuda}, libcudnn9-cuda-${CUDAToolkit_VERSION_MAJOR}, libnccl2")
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    ", cuda-toolkit-${cuda}, libcudnn9-dev-cuda-${CUDAToolkit_VERSION_MAJOR}, libnccl-dev")
endif()

include(CPack)
