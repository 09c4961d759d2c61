// Max pooling on the CPU; one byte per output says which place of its window was the maximum.
#include <algorithm>

#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

class PoolCpu : public PoolOp {
 public:
  PoolCpu(CpuTeam team, const PoolSpec& spec)
      : team_(team), spec_(spec), y_(spec.y()), geometry_(pool_geometry(spec)) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }
  [[nodiscard]] std::size_t state_bytes() const override {
    return static_cast<std::size_t>(y_.count());
  }

  void forward(const OpContext&, const Tensor& x, const Tensor& y, void* state) override {
    auto* const places = static_cast<std::uint8_t*>(state);
    const Shape& in = spec_.x;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < y_.n * y_.h; ++r) {
      const std::int64_t top = r % y_.h * spec_.stride;
      const std::int64_t count = std::min(spec_.kernel, in.h - top);
      const float* rows[cpu::kPoolMaxKernel];
      for (std::int64_t i = 0; i < count; ++i)
        rows[i] = x.f32() + (r / y_.h * in.h + top + i) * in.w * in.c;
      const std::int64_t at = r * y_.w * y_.c;
      team_.kernels.pool_forward(&geometry_, rows, count, y.f32() + at, places + at);
    }
  }

  void backward(const OpContext&, const Tensor& y, const Tensor& dy, const void* state,
                const Tensor& dx) override {
    const auto* const places = static_cast<const std::uint8_t*>(state);
    const Shape& in = spec_.x;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < in.n * in.h; ++r) {
      const std::int64_t image = r / in.h * y_.per_row();
      team_.kernels.pool_backward(&geometry_, spec_.mask_dx ? y.f32() + image : nullptr,
                                  dy.f32() + image, places + image, r % in.h,
                                  dx.f32() + r * in.w * in.c);
    }
  }

 private:
  CpuTeam team_;
  PoolSpec spec_;
  Shape y_;
  cpu::PoolGeometry geometry_;
};

}  // namespace

void check_pool(const PoolSpec& spec) {
  if (spec.kernel < 1 || spec.kernel > cpu::kPoolMaxKernel || spec.stride < 1)
    fail(ExitCode::usage,
         "Pooling with a window of {} and a stride of {} is not possible: the window must be 1 to "
         "{} pixels wide and the stride at least 1.",
         spec.kernel, spec.stride, cpu::kPoolMaxKernel);
  if (spec.y().count() < 1)
    fail(ExitCode::usage, "A pooling window of {} does not fit maps of {} x {} pixels.",
         spec.kernel, spec.x.h, spec.x.w);
}

cpu::PoolGeometry pool_geometry(const PoolSpec& spec) {
  const Shape y = spec.y();
  return {spec.x.w, spec.x.c, y.h, y.w, spec.kernel, spec.stride};
}

std::unique_ptr<PoolOp> make_pool_cpu(CpuTeam team, const PoolSpec& spec) {
  check_pool(spec);
  return std::make_unique<PoolCpu>(team, spec);
}

}  // namespace convoy
