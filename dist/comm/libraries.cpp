// Asks MPI and NCCL for their versions.
#include "dist/comm/libraries.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <mpi.h>

#include "dist/comm/nccl.h"
#include "io/files/libraries.h"

namespace convoy {
namespace {

// "Open MPI v4.1.4, package: ..." -> "4.1.4"; another library's text as it is, up to its comma.
std::string loaded_mpi() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) != MPI_SUCCESS) return "";
  std::string version(text.data(), static_cast<std::size_t>(length));
  version.resize(std::min(version.find(','), version.size()));
  constexpr std::string_view ours = "Open MPI v";
  return version.starts_with(ours) ? version.substr(ours.size()) : version;
}

}  // namespace

std::vector<LibraryVersion> libraries() {
  std::vector<LibraryVersion> all{
      {"Open MPI",
       fmt::format("{}.{}.{}", OMPI_MAJOR_VERSION, OMPI_MINOR_VERSION, OMPI_RELEASE_VERSION),
       loaded_mpi()}};
  for (const auto& floor : {nccl_libraries(), io_libraries(), core_libraries()})
    all.insert(all.end(), floor.begin(), floor.end());
  return all;
}

}  // namespace convoy
