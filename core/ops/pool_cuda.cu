// Max pooling on a GPU; one byte per output says which place of its window was the maximum.
#include "core/cuda/pooling.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

template <typename T>
struct PlainValues {
  const T* x;
  int channels;

  template <int N>
  __device__ void load(std::int64_t pixel, int c, float* values) const {
    load_floats<N>(x + pixel * channels + c, values);
  }
};

template <typename T, int N, int Kernel, int Stride, bool Mask>
__global__ void pool_backward(const T* y, const T* dy, const std::uint8_t* places, T* dx,
                              PoolExtents g) {
  const std::int64_t i = thread_index();
  const std::int64_t packs = g.c / N;
  if (i >= g.images * g.h * g.w * packs) return;
  const int c = static_cast<int>(i % packs) * N;
  float gradient[N];
  pool_gradient<N, Kernel, Stride, Mask>(y, dy, places, g, i / packs, c, gradient);
  store_floats<N>(dx + i / packs * g.c + c, gradient);
}

class PoolCuda : public PoolOp {
 public:
  explicit PoolCuda(const PoolSpec& spec)
      : spec_(spec), y_(spec.y()), extents_(PoolExtents::of(spec)) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }
  [[nodiscard]] std::size_t state_bytes() const override {
    return static_cast<std::size_t>(y_.count());
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& y, void* state) override {
    auto* const places = static_cast<std::uint8_t*>(state);
    with_packs(x.type, spec_.x.c, {x.data, y.data, state}, [&]<typename T, int N>() {
      const auto kernel = extents_.usual() ? pool_forward<T, N, 3, 2, PlainValues<T>>
                                           : pool_forward<T, N, 0, 0, PlainValues<T>>;
      const PlainValues<T> values{data_of<T>(x), extents_.c};
      launch(kernel, blocks_for(y_.count() / N), kThreads, native(context.stream), values,
             data_of<T>(y), places, extents_);
    });
  }

  void backward(const OpContext& context, const Tensor& y, const Tensor& dy, const void* state,
                const Tensor& dx) override {
    if (spec_.mask_dx)
      gather<true>(context, y, dy, state, dx);
    else
      gather<false>(context, dy, dy, state, dx);
  }

 private:
  template <bool Mask>
  void gather(const OpContext& context, const Tensor& y, const Tensor& dy, const void* state,
              const Tensor& dx) const {
    const auto* const places = static_cast<const std::uint8_t*>(state);
    with_packs(dx.type, spec_.x.c, {y.data, dy.data, state, dx.data}, [&]<typename T, int N>() {
      const auto kernel =
          extents_.usual() ? pool_backward<T, N, 3, 2, Mask> : pool_backward<T, N, 0, 0, Mask>;
      launch(kernel, blocks_for(spec_.x.count() / N), kThreads, native(context.stream),
             data_of<T>(y), data_of<T>(dy), places, data_of<T>(dx), extents_);
    });
  }

  PoolSpec spec_;
  Shape y_;
  PoolExtents extents_;
};

}  // namespace

std::unique_ptr<PoolOp> make_pool_cuda(const CudaContext&, const PoolSpec& spec) {
  check_pool(spec);
  return std::make_unique<PoolCuda>(spec);
}

}  // namespace convoy
