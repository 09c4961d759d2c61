// Max pooling on the CPU; one byte per output says which place of its window was the maximum.
#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

class PoolCpu : public PoolOp {
 public:
  PoolCpu(CpuTeam team, const PoolSpec& spec)
      : team_(team), x_(spec.x), y_(spec.y()), geometry_{x_.h, x_.w,        x_.c,       y_.h,
                                                         y_.w, spec.kernel, spec.stride} {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }
  [[nodiscard]] std::size_t state_bytes() const override {
    return static_cast<std::size_t>(y_.count());
  }

  void forward(const OpContext&, const Tensor& x, const Tensor& y, void* state) override {
    auto* const places = static_cast<std::uint8_t*>(state);
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < y_.n * y_.h; ++r) {
      const std::int64_t at = r * y_.w * y_.c;
      team_.kernels.pool_forward(&geometry_, x.f32() + r / y_.h * x_.per_row(), r % y_.h,
                                 y.f32() + at, places + at);
    }
  }

  void backward(const OpContext&, const Tensor& dy, const void* state, const Tensor& dx) override {
    const auto* const places = static_cast<const std::uint8_t*>(state);
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < x_.n * x_.h; ++r) {
      const std::int64_t image = r / x_.h * y_.per_row();
      team_.kernels.pool_backward(&geometry_, dy.f32() + image, places + image, r % x_.h,
                                  dx.f32() + r * x_.w * x_.c);
    }
  }

 private:
  CpuTeam team_;
  Shape x_;
  Shape y_;
  cpu::PoolGeometry geometry_;
};

}  // namespace

std::unique_ptr<PoolOp> make_pool_cpu(CpuTeam team, const PoolSpec& spec) {
  if (spec.kernel < 1 || spec.kernel > 16 || spec.stride < 1)
    fail(ExitCode::usage,
         "Pooling with a window of {} and a stride of {} is not possible: the window must be 1 to "
         "16 pixels wide and the stride at least 1.",
         spec.kernel, spec.stride);
  if (spec.y().count() < 1)
    fail(ExitCode::usage, "A pooling window of {} does not fit maps of {} x {} pixels.",
         spec.kernel, spec.x.h, spec.x.w);
  return std::make_unique<PoolCpu>(team, spec);
}

}  // namespace convoy
