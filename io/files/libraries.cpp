// Asks HDF5, libpng and protobuf for their versions; TurboJPEG and ISA-L do not tell theirs.
#include "io/files/libraries.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <hdf5.h>
#include <png.h>

namespace convoy {

std::vector<LibraryVersion> io_libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  const bool known = H5get_libversion(&major, &minor, &patch) >= 0;
  return {{"HDF5", fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
           known ? fmt::format("{}.{}.{}", major, minor, patch) : ""},
          {"libpng", PNG_LIBPNG_VER_STRING, png_get_libpng_ver(nullptr)},
          // One library cannot be loaded for another: its version is part of its name.
          {"protobuf", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION),
           google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)}};
}

}  // namespace convoy
