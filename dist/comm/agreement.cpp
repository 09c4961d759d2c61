// Compares what ranks and files say of themselves.
#include "dist/comm/agreement.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace convoy {

void require_same_classes(const std::vector<ClassInfo>& training,
                          const std::vector<ClassInfo>& other, const std::string& other_name) {
  const std::size_t shared = std::min(training.size(), other.size());
  for (std::size_t i = 0; i < shared; ++i) {
    if (training[i].name == other[i].name) continue;
    fail(ExitCode::bad_data,
         "class {} is '{}' in the training set but '{}' in {}; pack both with the same list "
         "(convoy pack --classes)",
         i, training[i].name, other[i].name, other_name);
  }
  if (training.size() != other.size()) {
    fail(ExitCode::bad_data,
         "the training set has {} classes but {} has {}; pack both with the same list (convoy pack "
         "--classes)",
         training.size(), other_name, other.size());
  }
}

void require_one_checkpoint(Communicator& everyone, const CheckpointInfo& info) {
  const auto step = static_cast<double>(info.step);
  std::array<double, 2> range{step, -step};
  everyone.maximum("checkpoint", range);
  if (range[0] == -range[1]) return;
  fail(ExitCode::bad_checkpoint,
       "ranks opened checkpoints of different steps ({} here); name one with --checkpoint FILE",
       info.step);
}

void require_one_dataset(Communicator& everyone, const Dataset& dataset) {
  std::string first = dataset.fingerprint();  // equally long everywhere
  everyone.broadcast("fingerprint", first.data(), first.size(), 0);
  if (first == dataset.fingerprint()) return;
  fail(ExitCode::bad_data,
       "{} is another dataset here than on rank 0 (fingerprint {} here, {} there); give every rank "
       "the same copy",
       dataset.folder().string(), dataset.fingerprint(), first);
}

std::string unlike_kernels_warning(Communicator& everyone, const Device& device) {
  std::array<char, 64> first{};
  device.kernels().copy(first.data(), first.size() - 1);
  everyone.broadcast("kernels", first.data(), first.size(), 0);
  std::array<double, 1> unlike{device.kernels() == first.data() ? 0.0 : 1.0};
  everyone.sum("kernels", unlike);
  if (unlike[0] == 0 || everyone.rank() != 0) return {};
  return fmt::format(
      "{:.0f} of {} ranks run other kernels than rank 0's {}: their processors round differently, "
      "so the run is slower than its best nodes and not repeatable to the last bit elsewhere",
      unlike[0], everyone.size(), device.kernels());
}

std::string threads_warning(const DeviceOptions& options, int local_ranks) {
  const int cores = usable_cores();
  if (options.threads <= cores) return {};
  return fmt::format(
      "device.threads is {}, but a rank may run on {} core{} here ({} rank{} on this host): "
      "threads will wait for each other; leave device.threads out, or give mpirun --bind-to none",
      options.threads, cores, cores == 1 ? "" : "s", local_ranks, local_ranks == 1 ? "" : "s");
}

}  // namespace convoy
