// ReLU on a GPU.
#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

template <typename T, int N>
__global__ void relu_forward(T* x, std::int64_t packs) {
  const std::int64_t i = thread_index();
  if (i >= packs) return;
  float values[N];
  load_floats<N>(x + i * N, values);
#pragma unroll
  for (int k = 0; k < N; ++k) values[k] = values[k] < 0.0f ? 0.0f : values[k];  // NaN stays
  store_floats<N>(x + i * N, values);
}

template <typename T, int N>
__global__ void relu_backward(const T* y, T* dy, std::int64_t packs) {
  const std::int64_t i = thread_index();
  if (i >= packs) return;
  float values[N];
  float gradient[N];
  load_floats<N>(y + i * N, values);
  load_floats<N>(dy + i * N, gradient);
#pragma unroll
  for (int k = 0; k < N; ++k) gradient[k] = values[k] > 0.0f ? gradient[k] : 0.0f;
  store_floats<N>(dy + i * N, gradient);
}

class ReluCuda : public ReluOp {
 public:
  void forward(const OpContext& context, const Tensor& x) override {
    with_packs(x.type, x.count(), {x.data}, [&]<typename T, int N>() {
      launch(relu_forward<T, N>, blocks_for(x.count() / N), kThreads, native(context.stream),
             data_of<T>(x), x.count() / N);
    });
  }

  void backward(const OpContext& context, const Tensor& y, const Tensor& dy) override {
    with_packs(dy.type, dy.count(), {y.data, dy.data}, [&]<typename T, int N>() {
      launch(relu_backward<T, N>, blocks_for(dy.count() / N), kThreads, native(context.stream),
             data_of<T>(y), data_of<T>(dy), dy.count() / N);
    });
  }
};

}  // namespace

std::unique_ptr<ReluOp> make_relu_cuda(const CudaContext&) { return std::make_unique<ReluCuda>(); }

}  // namespace convoy
