// Makes the device that the options ask for.
#include "core/device.h"

#include <algorithm>

#include <omp.h>
#include <sched.h>

#include "core/device_cpu.h"
#include "core/device_cuda.h"
#include "core/error.h"

namespace convoy {
namespace {

// Whether this process computes on a GPU. Throws Error(usage) where the options do not fit.
bool on_gpu(const DeviceOptions& options) {
  if (options.kind == "cpu") return false;
  const Gpus gpus = find_gpus();
  if (options.kind == "cuda" && gpus.count == 0)
    fail(ExitCode::usage, "device.kind is cuda, but {}; use --device.kind cpu", gpus.why_none);
  return gpus.count > 0;
}

}  // namespace

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::fp32:
      return "fp32";
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
  }
  return "";
}

int usable_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

std::unique_ptr<Device> make_device(const DeviceOptions& options, const LocalPlace& place) {
  if (options.kind != "auto" && options.kind != "cpu" && options.kind != "cuda")
    fail(ExitCode::usage, "device.kind is '{}'; use auto, cpu or cuda", options.kind);
  if (options.threads < 0)
    fail(ExitCode::usage, "device.threads is {}, but must be 0 (a fair share) or more.",
         options.threads);
  const int limit = omp_get_thread_limit();
  if (options.threads > limit)
    fail(ExitCode::usage,
         "device.threads is {}, but the environment variable OMP_THREAD_LIMIT allows {}; raise it "
         "or ask for fewer",
         options.threads, limit);
  const int share = std::clamp(usable_cores() / std::max(1, place.ranks), 1, limit);
  const int threads = options.threads > 0 ? options.threads : share;
  if (on_gpu(options)) return make_cuda_device(options, place, threads);
  if (options.precision != "auto" && options.precision != "fp32")
    fail(ExitCode::usage, "device.precision is {}, but the CPU computes in fp32 only; leave it out",
         options.precision);
  return std::make_unique<CpuDevice>(threads, cpu::best_isa());
}

}  // namespace convoy
