// What a build without CUDA has instead of device_cuda.cpp.
#include "core/device_cuda.h"
#include "core/error.h"

namespace convoy {

Gpus find_gpus() { return {0, "this Convoy was built without CUDA"}; }

std::vector<LibraryVersion> cuda_libraries() { return {}; }

std::unique_ptr<Device> make_cuda_device(const DeviceOptions&, const LocalPlace&, int) {
  fail(ExitCode::usage, "{}", find_gpus().why_none);
}

}  // namespace convoy
