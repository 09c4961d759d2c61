// NCCL, where this build has it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/libraries.h"
#include "dist/comm/communicator.h"

namespace convoy {

// Of the library that is loaded, as NCCL_VERSION_CODE; 0: this Convoy was built without.
[[nodiscard]] int nccl_version();
// 22809 -> "2.28.9".
[[nodiscard]] inline std::string nccl_version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}
// NCCL alone; empty in a build without.
[[nodiscard]] std::vector<LibraryVersion> nccl_libraries();

// Ends the NCCL work of this process, so that memory which a stuck collective uses can be freed.
// Any thread may call it.
void abort_nccl();

// Data of a CUDA device by NCCL, host numbers by `control`, which has the same ranks. `device` must
// outlive it. Collective.
[[nodiscard]] std::unique_ptr<Communicator> make_nccl_communicator(
    std::unique_ptr<Communicator> control, Device& device, double wait_limit, const Watch& watch);

}  // namespace convoy
