// Compares a plan with what is free.
#include "core/net/memory_plan.h"

#include "core/error.h"

namespace convoy {
namespace {

std::size_t megabytes(std::size_t bytes) { return (bytes + 999'999) / 1'000'000; }

}  // namespace

// All but the parameters grow with the images; scratch memory roughly does.
std::int64_t MemoryPlan::images_that_fit(std::size_t free_bytes, std::int64_t images) const {
  if (free_bytes <= parameters) return 0;
  const double room = static_cast<double>(free_bytes - parameters);
  const double each = static_cast<double>(bytes() - parameters) / static_cast<double>(images);
  return static_cast<std::int64_t>(room / each);
}

void require_memory(const Device& device, const MemoryPlan& plan, std::int64_t images) {
  const std::size_t free_bytes = device.free_memory_bytes();
  if (plan.bytes() <= free_bytes) return;
  const std::int64_t fit = plan.images_that_fit(free_bytes, images);
  fail(ExitCode::resource,
       "a batch of {} images a rank needs {} MB of memory ({} MB for activations, {} for their "
       "gradients, {} for parameters with gradients and momentum, {} of scratch), and {} MB are "
       "free; {}",
       images, megabytes(plan.bytes()), megabytes(plan.activations), megabytes(plan.gradients),
       megabytes(plan.parameters), megabytes(plan.workspace), free_bytes / 1'000'000,
       fit > 0 ? fmt::format("{} images a rank would fit: use a smaller --solver.batch or more "
                             "ranks",
                             fit)
               : "the parameters alone do not fit: use a smaller --model.width, or a smaller net");
}

}  // namespace convoy
