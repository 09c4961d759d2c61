// Which versions of libraries this program was built with, and which it has found.
#pragma once

#include <string>
#include <vector>

namespace convoy {

struct LibraryVersion {
  std::string name;
  std::string built;  // whose headers were compiled
  std::string found;  // whose code is loaded; empty: none is there
};

// What core/ computes with: oneDNN, and in a build with CUDA its driver, run time and cuDNN.
[[nodiscard]] std::vector<LibraryVersion> core_libraries();

}  // namespace convoy
