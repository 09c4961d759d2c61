// Fully connected layers on the CPU: oneDNN's matrix product on weights as they lie.
//
// Weights stay [out, in]: in any other layout fc6 alone would be 151 MB to rearrange, twice a step.
#include <atomic>

#include <oneapi/dnnl/dnnl.h>

#include "core/error.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

// Every product is cut into blocks of columns or rows of the weights. Inside a team oneDNN runs
// each on its thread: quicker than its own division of such flat matrices, and the same at any team
// size.
constexpr std::int64_t kNeuronBlock = 512;
constexpr std::int64_t kInputBlock = 1024;  // short pieces of the weights' rows are slow to read

// A matrix as it lies in memory, row by row, `step` floats apart.
struct Matrix {
  const float* data;
  std::int64_t step;
  bool transposed = false;
};

// c [m, n] = a [m, k] b [k, n]; rows of c lie `step` floats apart.
dnnl_status_t product(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a,
                      const Matrix& b, float* c, std::int64_t step) {
  return dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', m, n, k, 1.0f, a.data,
                    a.step, b.data, b.step, 0.0f, c, step);
}

// Calls multiply(begin, end) for blocks of [0, count) and throws if one of them fails.
template <typename Multiply>
void for_blocks(int threads, std::int64_t count, std::int64_t block, const Multiply& multiply) {
  std::atomic<int> failure = dnnl_success;
  for_pieces(threads, count, block, [&](std::int64_t begin, std::int64_t end) {
    const dnnl_status_t status = multiply(begin, end);
    if (status != dnnl_success) failure = status;
  });
  if (failure != dnnl_success)
    fail(ExitCode::resource, "oneDNN could not multiply matrices for a fully connected layer ({}).",
         failure.load());
}

class FullyConnectedCpu : public FullyConnectedOp {
 public:
  FullyConnectedCpu(CpuTeam team, const FullyConnectedSpec& spec) : team_(team), spec_(spec) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return 0; }

  void forward(const OpContext&, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    const auto [n, in, out, relu] = spec_;
    for_blocks(team_.threads, out, kNeuronBlock, [&](std::int64_t begin, std::int64_t end) {
      return product(n, end - begin, in, {x.f32(), in}, {w.f32() + begin * in, in, true},
                     y.f32() + begin, out);
    });
    for_pieces(team_.threads, n, 1, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.add_bias(y.f32() + begin * out, b.f32(), end - begin, out, relu);
    });
  }

  void backward_data(const OpContext&, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    const auto [n, in, out, relu] = spec_;
    for_blocks(team_.threads, in, kInputBlock, [&](std::int64_t begin, std::int64_t end) {
      return product(n, end - begin, out, {dy.f32(), out}, {w.f32() + begin, in}, dx.f32() + begin,
                     in);
    });
    if (mask != nullptr) mask_gradient(team_, *mask, dx);
  }

  void backward_weights(const OpContext&, const Tensor& x, const Tensor& dy, const Tensor& dw,
                        const Tensor& db) override {
    const auto [n, in, out, relu] = spec_;
    for_blocks(team_.threads, out, kNeuronBlock, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.column_sums(dy.f32() + begin, n, end - begin, out, db.f32() + begin, false);
      return product(end - begin, in, n, {dy.f32() + begin, out, true}, {x.f32(), in},
                     dw.f32() + begin * in, in);
    });
  }

 private:
  CpuTeam team_;
  FullyConnectedSpec spec_;
};

}  // namespace

std::unique_ptr<FullyConnectedOp> make_fully_connected_cpu(CpuTeam team,
                                                           const FullyConnectedSpec& spec) {
  if (spec.images < 1 || spec.in < 1 || spec.out < 1)
    fail(ExitCode::usage, "A fully connected layer from {} to {} values for {} images is empty.",
         spec.in, spec.out, spec.images);
  return std::make_unique<FullyConnectedCpu>(team, spec);
}

}  // namespace convoy
