// Response normalisation and max pooling on the CPU, row by row: only x, dx and the pooled maps
// pass through memory.
#include <algorithm>

#include <omp.h>

#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

class LrnPoolCpu : public LrnPoolOp {
 public:
  LrnPoolCpu(CpuTeam team, const LrnPoolSpec& spec)
      : team_(team),
        spec_(spec),
        x_(spec.norm.x),
        y_(spec.pool().y()),
        parameters_{spec.norm.alpha, spec.norm.beta, spec.norm.k},
        geometry_(pool_geometry(spec.pool())) {}

  // The rows of a window per thread.
  [[nodiscard]] std::size_t workspace_bytes() const override {
    return static_cast<std::size_t>(team_.threads * band_floats()) * sizeof(float);
  }
  [[nodiscard]] std::size_t state_bytes() const override {
    return static_cast<std::size_t>(y_.count());
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& y, void* state) override {
    auto* const places = static_cast<std::uint8_t*>(state);
    const std::int64_t rows = y_.n * y_.h;
#pragma omp parallel num_threads(team_.threads)
    {
      float* const band = thread_band(context);
      const std::int64_t thread = omp_get_thread_num();
      const std::int64_t threads = omp_get_num_threads();
      std::int64_t ready = 0;  // rows of x, counted over all images, that were normalised
      for (std::int64_t r = rows * thread / threads; r < rows * (thread + 1) / threads; ++r) {
        const std::int64_t image = r / y_.h * x_.h;
        const std::int64_t top = image + r % y_.h * spec_.stride;
        const std::int64_t end = std::min(top + spec_.kernel, image + x_.h);
        const float* window[cpu::kPoolMaxKernel];
        for (std::int64_t i = top; i < end; ++i) {
          float* const row = band + i % spec_.kernel * row_floats();
          if (i >= ready) normalise(x.f32() + i * row_floats(), row);
          window[i - top] = row;
        }
        ready = end;
        const std::int64_t at = r * y_.w * y_.c;
        team_.kernels.pool_forward(&geometry_, window, end - top, y.f32() + at, places + at);
      }
    }
  }

  void backward(const OpContext& context, const Tensor& x, const Tensor& dy, const void* state,
                const Tensor& dx) override {
    const auto* const places = static_cast<const std::uint8_t*>(state);
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < x_.n * x_.h; ++r) {
      float* const gradient = thread_band(context);  // of a row of normalised values
      const std::int64_t image = r / x_.h * y_.per_row();
      team_.kernels.pool_backward(&geometry_, nullptr, dy.f32() + image, places + image, r % x_.h,
                                  gradient);
      const std::int64_t at = r * row_floats();
      team_.kernels.lrn_backward(x.f32() + at, gradient, dx.f32() + at, groups(), spec_.norm.group,
                                 spec_.norm.size, &parameters_, spec_.mask_dx);
    }
  }

 private:
  [[nodiscard]] std::int64_t row_floats() const { return x_.w * x_.c; }
  [[nodiscard]] std::int64_t band_floats() const { return spec_.kernel * row_floats(); }
  [[nodiscard]] std::int64_t groups() const { return row_floats() / spec_.norm.group; }  // in a row
  [[nodiscard]] float* thread_band(const OpContext& context) const {
    return static_cast<float*>(context.workspace) + omp_get_thread_num() * band_floats();
  }
  void normalise(const float* x, float* y) const {
    team_.kernels.lrn_forward(x, y, groups(), spec_.norm.group, spec_.norm.size, &parameters_);
  }

  CpuTeam team_;
  LrnPoolSpec spec_;
  Shape x_;
  Shape y_;
  cpu::NormParameters parameters_;
  cpu::PoolGeometry geometry_;
};

}  // namespace

std::unique_ptr<LrnPoolOp> make_lrn_pool_cpu(CpuTeam team, const LrnPoolSpec& spec) {
  check_lrn(spec.norm);
  check_pool(spec.pool());
  return std::make_unique<LrnPoolCpu>(team, spec);
}

}  // namespace convoy
