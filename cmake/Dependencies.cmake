# Finds every library Convoy uses; all are Debian packages (see tests/install-debian).
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(MPI REQUIRED COMPONENTS C)
find_package(HDF5 REQUIRED COMPONENTS C)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PNG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Protobuf REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(TurboJPEG REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(Archive REQUIRED IMPORTED_TARGET libarchive)

# Debian's own CMake file for oneDNN asks for OpenCL, which Convoy does not use.
find_path(DNNL_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
find_library(DNNL_LIBRARY dnnl REQUIRED)
add_library(convoy_dnnl INTERFACE)
target_include_directories(convoy_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE_DIR})
target_link_libraries(convoy_dnnl INTERFACE ${DNNL_LIBRARY})

# FindHDF5 gives variables only.
add_library(convoy_hdf5 INTERFACE)
target_include_directories(convoy_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
target_link_libraries(convoy_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
