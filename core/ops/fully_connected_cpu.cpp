// Fully connected layers on the CPU: packed products with weights as they lie.
//
// Weights stay [out, in]: in any other layout fc6 alone would be 151 MB to rearrange, twice a step.
// Every output is one thread's work, summed over blocks of fixed size in a fixed order, so results
// do not depend on the number of threads or on which neurons are held here.
#include <algorithm>

#include <omp.h>

#include "core/ops/fully_connected_gradient_cpu.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

// Terms of a sum that are added up before they join the rest: blocks that fit a cache, and smaller
// rounding errors than those of one long chain.
constexpr std::int64_t kForwardDepth = 256;
constexpr std::int64_t kBackwardDepth = 128;

constexpr std::int64_t kForwardNeurons = 192;  // whose weights meet a packed block of the input
constexpr std::int64_t kBackwardInputs = 256;  // wide enough that rows of weights are read well

class FullyConnectedCpu : public FullyConnectedOp {
 public:
  FullyConnectedCpu(CpuTeam team, const FullyConnectedSpec& spec)
      : team_(team),
        spec_(spec),
        panel_(2 * team.kernels.lanes),
        image_row_(round_up(spec.images, team.kernels.lanes)),
        neurons_(share(spec.out, kForwardNeurons, team.threads)),
        weights_(team, spec) {}

  [[nodiscard]] std::size_t workspace_bytes() const override {
    const std::int64_t threads = team_.threads;
    const std::int64_t forward = input_floats() + threads * neurons_ * image_row_;
    const std::int64_t data = gradient_floats() + threads * data_floats();
    return static_cast<std::size_t>(std::max({forward, data, weights_.workspace_floats()})) *
           sizeof(float);
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    const std::int64_t n = spec_.images;
    const std::int64_t in = spec_.in;
    const std::int64_t out = spec_.out;
    const bool relu = spec_.relu;
    auto* const inputs = static_cast<float*>(context.workspace);  // [panel][in][two vectors]
    for_pieces(team_.threads, in, kPackedPiece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < n; i += panel_)
        team_.kernels.pack_transposed(x.f32() + i * in + begin, in, std::min(panel_, n - i),
                                      end - begin, inputs + i * in + begin * panel_, panel_);
    });
    for_pieces(team_.threads, out, neurons_, [&](std::int64_t begin, std::int64_t end) {
      float* const sums = inputs + input_floats() + omp_get_thread_num() * neurons_ * image_row_;
      for (std::int64_t k = 0; k < in; k += kForwardDepth) {
        const std::int64_t next = k + kForwardDepth;
        const bool last = next >= in;
        const cpu::Product product{
            .rows = end - begin,
            .columns = n,
            .depth = std::min(kForwardDepth, in - k),
            .a = w.f32() + begin * in + k,
            .a_row = in,
            .a_step = 1,
            .b = inputs + k * panel_,
            .b_step = panel_,
            .b_panel = in * panel_,
            .c = sums,
            .c_row = image_row_,
            .add = k > 0,
            .apart = k > 0,
            .ahead = w.f32() + (last ? end * in : begin * in + next),
            .ahead_row = in,
            .ahead_rows = last ? std::min(neurons_, out - end) : end - begin};
        team_.kernels.product(&product);
      }
      team_.kernels.add_bias_transposed(sums, image_row_, end - begin, n, b.f32() + begin, relu,
                                        y.f32() + begin, out);
    });
  }

  void backward_data(const OpContext& context, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    const std::int64_t n = spec_.images;
    const std::int64_t in = spec_.in;
    const std::int64_t out = spec_.out;
    auto* const gradients = static_cast<float*>(context.workspace);  // [out][images]
    for_pieces(team_.threads, out, kPackedPiece, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.pack_transposed(dy.f32() + begin, out, n, end - begin,
                                    gradients + begin * image_row_, image_row_);
    });
    for_pieces(team_.threads, in, kBackwardInputs, [&](std::int64_t begin, std::int64_t end) {
      float* const panel = gradients + gradient_floats() + omp_get_thread_num() * data_floats();
      float* const sums = panel + kBackwardDepth * panel_;
      for (std::int64_t k = 0; k < out; k += kBackwardDepth)
        add_products({k, std::min(out, k + kBackwardDepth)}, {begin, end}, gradients, w.f32(),
                     panel, sums);
      for (std::int64_t i = 0; i < n; ++i)
        std::copy_n(sums + i * kBackwardInputs, end - begin, dx.f32() + i * in + begin);
    });
    if (mask != nullptr) mask_gradient(team_, *mask, dx);
  }

  void backward_weights(const OpContext& context, const Tensor& x, const Tensor& dy,
                        const Tensor& dw, const Tensor& db, GradientSink* sink) override {
    weights_.run(static_cast<float*>(context.workspace), x.f32(), dy.f32(), dw.f32(), db.f32(),
                 sink);
  }

 private:
  // Of `count`, cut into pieces of at most about `most`: the same for every thread.
  static std::int64_t share(std::int64_t count, std::int64_t most, std::int64_t threads) {
    const std::int64_t pieces = round_up((count + most - 1) / most, threads);
    return (count + pieces - 1) / pieces;
  }

  // Floats of work memory: those that threads share, then those of each.
  [[nodiscard]] std::int64_t input_floats() const {
    return round_up(spec_.images, panel_) * spec_.in;
  }
  [[nodiscard]] std::int64_t gradient_floats() const { return image_row_ * spec_.out; }
  [[nodiscard]] std::int64_t data_floats() const {
    return kBackwardDepth * panel_ + spec_.images * kBackwardInputs;
  }

  // sums [images][kBackwardInputs] += the products of some neurons' gradients and weights, panel by
  // panel: rows of weights all fall into the same few sets of the first cache, so a panel is packed
  // before it is read many times.
  void add_products(const Range& neurons, const Range& values, const float* gradients,
                    const float* w, float* panel, float* sums) const {
    const std::int64_t in = spec_.in;
    const bool last = neurons.end == spec_.out;
    const float* const next = w + (last ? values.end : neurons.end * in + values.begin);
    const std::int64_t next_neurons =
        last ? (values.end < in ? spec_.out : 0) : spec_.out - neurons.end;
    const std::int64_t next_rows = std::min(kBackwardDepth, next_neurons);
    const std::int64_t share = (next_rows * panel_ + values.size() - 1) / values.size();
    for (std::int64_t at = values.begin, row = 0; at < values.end; at += panel_, row += share) {
      const std::int64_t width = std::min(panel_, values.end - at);
      team_.kernels.pack(w + neurons.begin * in + at, in, neurons.size(), width, panel, 0);
      const cpu::Product product{.rows = spec_.images,
                                 .columns = width,
                                 .depth = neurons.size(),
                                 .a = gradients + neurons.begin * image_row_,
                                 .a_row = 1,
                                 .a_step = image_row_,
                                 .b = panel,
                                 .b_step = panel_,
                                 .b_panel = 0,
                                 .c = sums + (at - values.begin),
                                 .c_row = kBackwardInputs,
                                 .add = neurons.begin > 0,
                                 .apart = neurons.begin > 0,
                                 .ahead = next + row * in,
                                 .ahead_row = in,
                                 .ahead_rows = std::min(share, next_rows - row)};
      team_.kernels.product(&product);
    }
  }

  CpuTeam team_;
  FullyConnectedSpec spec_;
  std::int64_t panel_;      // columns of a panel of a product
  std::int64_t image_row_;  // images, rounded up to vectors
  std::int64_t neurons_;    // of a piece of forward work
  FullyConnectedGradient weights_;
};

}  // namespace

std::unique_ptr<FullyConnectedOp> make_fully_connected_cpu(CpuTeam team,
                                                           const FullyConnectedSpec& spec) {
  check_fully_connected(spec);
  return std::make_unique<FullyConnectedCpu>(team, spec);
}

}  // namespace convoy
