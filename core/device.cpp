// Makes the device that the options ask for.
#include "core/device.h"

#include <algorithm>

#include <sched.h>

#include "core/device_cpu.h"
#include "core/error.h"

namespace convoy {

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

std::unique_ptr<Device> make_device(const DeviceOptions& options, int local_ranks) {
  if (options.kind != "auto" && options.kind != "cpu")
    fail(ExitCode::usage, "device.kind is '{}', but this build knows 'auto' and 'cpu' only.",
         options.kind);
  if (options.threads < 0)
    fail(ExitCode::usage, "device.threads is {}, but must be 0 (a fair share) or more.",
         options.threads);
  const int share = std::max(1, usable_cores() / std::max(1, local_ranks));
  return std::make_unique<CpuDevice>(options.threads > 0 ? options.threads : share,
                                     cpu::best_isa());
}

}  // namespace convoy
