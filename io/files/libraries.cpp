// Asks libraries of io/ for their versions; TurboJPEG and ISA-L do not tell theirs.
#include "io/files/libraries.h"

#include <string_view>

#include <archive.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/common.h>
#include <hdf5.h>
#include <png.h>
#include <zlib.h>

namespace convoy {
namespace {

// "libarchive 3.6.2" -> "3.6.2"
std::string loaded_archive() {
  const std::string_view text = archive_version_string();
  return std::string(text.substr(text.rfind(' ') + 1));
}

}  // namespace

std::vector<LibraryVersion> io_libraries() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  const bool known = H5get_libversion(&major, &minor, &patch) >= 0;
  return {{"HDF5", fmt::format("{}.{}.{}", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE),
           known ? fmt::format("{}.{}.{}", major, minor, patch) : ""},
          {"libpng", PNG_LIBPNG_VER_STRING, png_get_libpng_ver(nullptr)},
          {"libarchive", ARCHIVE_VERSION_ONLY_STRING, loaded_archive()},
          {"zlib", ZLIB_VERSION, zlibVersion()},
          // One library cannot be loaded for another: its version is part of its name.
          {"Protobuf", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION),
           google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION)}};
}

}  // namespace convoy
