# CUDA, where it is found and wanted. Sets CONVOY_CUDA_BUILD: ON, OFF or EMULATED.
#
# CONVOY_CUDA: AUTO takes CUDA where a compiler, cuDNN and NCCL are found; ON requires them; OFF
# builds without; EMULATED compiles the same sources with the C++ compiler for tests on the CPU.
set(CONVOY_CUDA AUTO CACHE STRING "CUDA: AUTO, ON, OFF, or EMULATED (tests on the CPU)")
set_property(CACHE CONVOY_CUDA PROPERTY STRINGS AUTO ON OFF EMULATED)
set(CONVOY_CUDA_BUILD OFF)
if(CONVOY_CUDA STREQUAL "EMULATED")
  set(CONVOY_CUDA_BUILD EMULATED)
  return()
elseif(CONVOY_CUDA STREQUAL "OFF")
  return()
endif()

# CMake itself looks on PATH only.
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(nvcc nvcc HINTS $ENV{CUDA_HOME} $ENV{CUDA_PATH} /usr/local/cuda PATH_SUFFIXES bin)
  if(nvcc)
    set(CMAKE_CUDA_COMPILER ${nvcc})
  endif()
endif()
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  if(CONVOY_CUDA STREQUAL "ON")
    message(FATAL_ERROR "CONVOY_CUDA is ON, but no CUDA compiler was found; "
      "put nvcc on PATH or set CUDACXX")
  endif()
  message(STATUS "CUDA: no compiler found, building for the CPU alone")
  return()
endif()

# Before the language is enabled: its own default would be the oldest architecture.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
enable_language(CUDA)
# CMake before 3.25.2 does not know nvcc's option.
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_EXTENSIONS OFF)
find_package(CUDAToolkit 12 REQUIRED)
if(CONVOY_CUDA STREQUAL "ON")
  find_package(cuDNN 9 REQUIRED)
  find_package(NCCL 2.18 REQUIRED)
else()
  find_package(cuDNN 9)
  find_package(NCCL 2.18)
  if(NOT cuDNN_FOUND OR NOT NCCL_FOUND)
    message(STATUS "CUDA: a compiler, but not cuDNN 9 and NCCL 2.18 (set cuDNN_ROOT, NCCL_ROOT); "
      "building for the CPU alone")
    return()
  endif()
endif()
set(CONVOY_CUDA_BUILD ON)
