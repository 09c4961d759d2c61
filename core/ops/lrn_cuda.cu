// Response normalisation across maps on a GPU.
#include "core/cuda/norm.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

template <typename T, int N, int Half>
__global__ void lrn_forward(const T* x, T* y, std::int64_t groups, NormParameters p) {
  const std::int64_t packs = p.group / N;
  const std::int64_t i = thread_index();
  if (i >= groups * packs) return;
  const int c = static_cast<int>(i % packs) * N;
  const std::int64_t row = i / packs * p.group;
  float values[N];
  normalise<N, Half>(x + row, c, p, values);
  store_floats<N>(y + row + c, values);
}

// dy as it lies in memory.
template <typename T>
struct PlainGradient {
  const T* dy;
  int group;

  template <int N>
  __device__ void load(std::int64_t row, int c, float* values) const {
    load_floats<N>(dy + row * group + c, values);
  }
};

class LrnCuda : public LrnOp {
 public:
  explicit LrnCuda(const LrnSpec& spec)
      : p_{spec.alpha, spec.beta, spec.k, static_cast<int>(spec.size / 2),
           static_cast<int>(spec.group)},
        groups_(spec.x.count() / spec.group) {}

  void forward(const OpContext& context, const Tensor& x, const Tensor& y) override {
    with_norm(x.type, p_, {x.data, y.data}, [&]<typename T, int N, int Half>() {
      launch(lrn_forward<T, N, Half>, blocks_for(groups_ * (p_.group / N)), kThreads,
             native(context.stream), data_of<T>(x), data_of<T>(y), groups_, p_);
    });
  }

  void backward(const OpContext& context, const Tensor& x, const Tensor& dy,
                const Tensor& dx) override {
    with_norm(x.type, p_, {x.data, dy.data, dx.data}, [&]<typename T, int N, int Half>() {
      const PlainGradient<T> gradient{data_of<T>(dy), p_.group};
      launch_with_barriers(norm_backward<T, N, Half, false, PlainGradient<T>>,
                           blocks_for(groups_, static_cast<int>(norm_groups_of_block(p_))),
                           kThreads, native(context.stream), data_of<T>(x), gradient,
                           data_of<T>(dx), groups_, p_);
    });
  }

 private:
  NormParameters p_;
  std::int64_t groups_;
};

}  // namespace

std::unique_ptr<LrnOp> make_lrn_cuda(const CudaContext&, const LrnSpec& spec) {
  check_lrn(spec);
  return std::make_unique<LrnCuda>(spec);
}

}  // namespace convoy
