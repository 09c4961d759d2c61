// Element-wise sum on a GPU.
#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

template <typename T, int N>
__global__ void add(const T* x, T* y, std::int64_t packs) {
  const std::int64_t i = thread_index();
  if (i >= packs) return;
  float from[N];
  float to[N];
  load_floats<N>(x + i * N, from);
  load_floats<N>(y + i * N, to);
#pragma unroll
  for (int k = 0; k < N; ++k) to[k] += from[k];
  store_floats<N>(y + i * N, to);
}

class AddCuda : public AddOp {
 public:
  void apply(const OpContext& context, const Tensor& x, const Tensor& y) override {
    with_packs(x.type, x.count(), {x.data, y.data}, [&]<typename T, int N>() {
      launch(add<T, N>, blocks_for(x.count() / N), kThreads, native(context.stream), data_of<T>(x),
             data_of<T>(y), x.count() / N);
    });
  }
};

}  // namespace

std::unique_ptr<AddOp> make_add_cuda(const CudaContext&) { return std::make_unique<AddCuda>(); }

}  // namespace convoy
