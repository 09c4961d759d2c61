// Response normalisation and max pooling on a GPU: normalised values live in registers only.
//
// Forward normalises a pixel once for each window that holds it, which costs less than the memory
// traffic it saves. Backward normalises again and gathers the gradient through the pooling.
#include "core/cuda/norm.h"
#include "core/cuda/pooling.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

template <typename T, int Half>
struct NormalisedValues {
  const T* x;
  int channels;
  NormParameters p;

  template <int N>
  __device__ void load(std::int64_t pixel, int c, float* values) const {
    normalise<N, Half>(x + pixel * channels, c, p, values);
  }
};

// The gradient of the normalised values, gathered from that of the pooled ones.
template <typename T, int Kernel, int Stride>
struct PooledGradient {
  const T* dy;
  const std::uint8_t* places;
  PoolExtents g;
  int group;

  template <int N>
  __device__ void load(std::int64_t row, int c, float* values) const {
    const int groups = g.c / group;
    const int first = static_cast<int>(row % groups) * group;
    pool_gradient<N, Kernel, Stride, false>(dy, dy, places, g, row / groups, first + c, values);
  }
};

class LrnPoolCuda : public LrnPoolOp {
 public:
  explicit LrnPoolCuda(const LrnPoolSpec& spec)
      : p_{spec.norm.alpha, spec.norm.beta, spec.norm.k, static_cast<int>(spec.norm.size / 2),
           static_cast<int>(spec.norm.group)},
        extents_(PoolExtents::of(spec.pool())),
        groups_(spec.norm.x.count() / spec.norm.group),
        outputs_(spec.pool().y().count()),
        mask_(spec.mask_dx) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }
  [[nodiscard]] std::size_t state_bytes() const override {
    return static_cast<std::size_t>(outputs_);
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& y, void* state) override {
    auto* const places = static_cast<std::uint8_t*>(state);
    with_norm(x.type, p_, {x.data, y.data, state}, [&]<typename T, int N, int Half>() {
      using Values = NormalisedValues<T, Half>;
      const auto kernel =
          extents_.usual() ? pool_forward<T, N, 3, 2, Values> : pool_forward<T, N, 0, 0, Values>;
      const Values values{data_of<T>(x), extents_.c, p_};
      launch(kernel, blocks_for(outputs_ / N), kThreads, native(context.stream), values,
             data_of<T>(y), places, extents_);
    });
  }

  void backward(const OpContext& context, const Tensor& x, const Tensor& dy, const void* state,
                const Tensor& dx) override {
    if (extents_.usual())
      gather<3, 2>(context, x, dy, state, dx);
    else
      gather<0, 0>(context, x, dy, state, dx);
  }

 private:
  template <int Kernel, int Stride>
  void gather(const OpContext& context, const Tensor& x, const Tensor& dy, const void* state,
              const Tensor& dx) const {
    const auto* const places = static_cast<const std::uint8_t*>(state);
    with_norm(x.type, p_, {x.data, dy.data, state, dx.data}, [&]<typename T, int N, int Half>() {
      using Gradient = PooledGradient<T, Kernel, Stride>;
      const auto kernel = mask_ ? norm_backward<T, N, Half, true, Gradient>
                                : norm_backward<T, N, Half, false, Gradient>;
      const Gradient gradient{data_of<T>(dy), places, extents_, p_.group};
      launch_with_barriers(kernel, blocks_for(groups_, static_cast<int>(norm_groups_of_block(p_))),
                           kThreads, native(context.stream), data_of<T>(x), gradient,
                           data_of<T>(dx), groups_, p_);
    });
  }

  NormParameters p_;
  PoolExtents extents_;
  std::int64_t groups_;   // of all pixels
  std::int64_t outputs_;  // pooled values
  bool mask_;
};

}  // namespace

std::unique_ptr<LrnPoolOp> make_lrn_pool_cuda(const CudaContext&, const LrnPoolSpec& spec) {
  check_lrn(spec.norm);
  check_pool(spec.pool());
  return std::make_unique<LrnPoolCuda>(spec);
}

}  // namespace convoy
