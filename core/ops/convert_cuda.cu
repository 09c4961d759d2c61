// Conversion between fp32 and bf16 on a GPU.
#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

constexpr int kValues = 4;  // of a thread: what fp32 has in 16 bytes

// The last thread may have fewer values; so have all where memory is not aligned (N = 1).
template <typename From, typename To, int N>
__global__ void convert(const From* from, To* to, std::int64_t count) {
  const std::int64_t at = thread_index() * kValues;
  if (N > 1 && at + N <= count) {
    float values[N];
    load_floats<N>(from + at, values);
    store_floats<N>(to + at, values);
    return;
  }
  for (std::int64_t i = at; i < at + kValues && i < count; ++i)
    to[i] = from_float<To>(to_float(from[i]));
}

class ConvertCuda : public ConvertOp {
 public:
  void apply(const OpContext& context, const Tensor& from, const Tensor& to) override {
    with_type(from.type, [&](auto source) {
      with_type(to.type, [&](auto target) {
        using From = decltype(source);
        using To = decltype(target);
        const bool packs = aligned({from.data, to.data});
        launch(packs ? convert<From, To, kValues> : convert<From, To, 1>,
               blocks_for((from.count() + kValues - 1) / kValues), kThreads, native(context.stream),
               data_of<From>(from), data_of<To>(to), from.count());
      });
    });
  }
};

}  // namespace

std::unique_ptr<ConvertOp> make_convert_cuda(const CudaContext&) {
  return std::make_unique<ConvertCuda>();
}

}  // namespace convoy
