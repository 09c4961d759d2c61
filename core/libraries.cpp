// Asks oneDNN, and the devices, for their versions.
#include "core/libraries.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.hpp>

#include "core/device_cuda.h"

namespace convoy {

std::vector<LibraryVersion> core_libraries() {
  const auto text = [](int major, int minor, int patch) {
    return fmt::format("{}.{}.{}", major, minor, patch);
  };
  const dnnl_version_t& found = *dnnl_version();
  std::vector<LibraryVersion> all{{"oneDNN",
                                   text(DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH),
                                   text(found.major, found.minor, found.patch)}};
  for (LibraryVersion& library : cuda_libraries()) all.push_back(std::move(library));
  return all;
}

}  // namespace convoy
