// NVIDIA GPUs as devices: one GPU a process, work queued in streams.
//
// A build without CUDA has device_without_cuda.cpp in the place of this header's bodies.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/libraries.h"

namespace convoy {

struct Gpus {
  int count = 0;
  std::string why_none;  // half a sentence where there is none: "no NVIDIA driver was found"
};

// The GPUs that CUDA_VISIBLE_DEVICES leaves to this process.
[[nodiscard]] Gpus find_gpus();

// CUDA's driver and run time, and cuDNN; none in a build without CUDA.
[[nodiscard]] std::vector<LibraryVersion> cuda_libraries();

// The GPU of the process's place on its host. `threads`: of the process, for work on the host.
[[nodiscard]] std::unique_ptr<Device> make_cuda_device(const DeviceOptions& options,
                                                       const LocalPlace& place, int threads);

}  // namespace convoy
