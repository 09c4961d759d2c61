// Response normalisation over pixels on the CPU: window sums by rows and then columns.
#include <omp.h>

#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

class SpatialNormCpu : public SpatialNormOp {
 public:
  SpatialNormCpu(CpuTeam team, const SpatialNormSpec& spec)
      : team_(team), spec_(spec), parameters_{spec.alpha, spec.beta, spec.k} {}

  // Three images [H, W, C] per thread (kernels.h).
  [[nodiscard]] std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(team_.threads * work_floats()) * sizeof(float);
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& y) override {
    const std::int64_t h = spec_.x.h;
    const std::int64_t w = spec_.x.w;
    const std::int64_t c = spec_.x.c;
    const std::int64_t image = spec_.x.per_row();
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t i = 0; i < spec_.x.n; ++i)
      team_.kernels.spatial_forward(x.f32() + i * image, y.f32() + i * image, h, w, c, spec_.size,
                                    &parameters_, work(context));
  }

  void backward(const OpContext& context, const Tensor& x, const Tensor& dy,
                const Tensor& dx) override {
    const std::int64_t h = spec_.x.h;
    const std::int64_t w = spec_.x.w;
    const std::int64_t c = spec_.x.c;
    const std::int64_t image = spec_.x.per_row();
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t i = 0; i < spec_.x.n; ++i)
      team_.kernels.spatial_backward(x.f32() + i * image, dy.f32() + i * image,
                                     dx.f32() + i * image, h, w, c, spec_.size, &parameters_,
                                     work(context));
  }

 private:
  [[nodiscard]] std::int64_t work_floats() const { return 3 * spec_.x.per_row(); }
  [[nodiscard]] float* work(const OpContext& context) const {
    return static_cast<float*>(context.workspace) + omp_get_thread_num() * work_floats();
  }

  CpuTeam team_;
  SpatialNormSpec spec_;
  cpu::NormParameters parameters_;
};

}  // namespace

void check_spatial_norm(const SpatialNormSpec& spec) {
  if (spec.size < 1 || spec.size % 2 == 0)
    fail(ExitCode::usage,
         "The window of response normalisation is {} pixels wide, but must be odd.", spec.size);
}

std::unique_ptr<SpatialNormOp> make_spatial_norm_cpu(CpuTeam team, const SpatialNormSpec& spec) {
  check_spatial_norm(spec);
  return std::make_unique<SpatialNormCpu>(team, spec);
}

}  // namespace convoy
