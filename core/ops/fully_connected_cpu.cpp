// Fully connected layers on the CPU: packed products with weights as they lie.
//
// Weights stay [out, in]: in any other layout fc6 alone would be 151 MB to rearrange, twice a step.
// Every output is one thread's work, summed over blocks of fixed size in a fixed order, so results
// do not depend on the number of threads or on which neurons are held here.
#include <algorithm>
#include <bit>

#include <omp.h>

#include "core/error.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"
#include "core/ops/sum_parts_cpu.h"

namespace convoy {
namespace {

// Terms of a sum that are added up before they join the rest: blocks that fit a cache, and smaller
// rounding errors than those of one long chain.
constexpr std::int64_t kForwardDepth = 256;
constexpr std::int64_t kBackwardDepth = 128;

constexpr std::int64_t kForwardNeurons = 192;  // whose weights meet a packed block of the input
constexpr std::int64_t kBackwardInputs = 256;  // wide enough that rows of weights are read well
constexpr std::int64_t kPackedInputs = 512;    // of a piece of work in packing

// The gradient of the weights is made in blocks of some rows and columns, beside the packed inputs
// of those columns in the core's own cache.
constexpr std::int64_t kGradientRows = 48;
constexpr std::int64_t kGradientFloats = std::int64_t{96} << 10;
constexpr std::int64_t kGradientInputs = std::int64_t{128} << 10;  // floats

std::int64_t round_up(std::int64_t count, std::int64_t step) {
  return (count + step - 1) / step * step;
}

class FullyConnectedCpu : public FullyConnectedOp {
 public:
  FullyConnectedCpu(CpuTeam team, const FullyConnectedSpec& spec)
      : team_(team),
        spec_(spec),
        panel_(2 * team.kernels.lanes),
        image_row_(round_up(spec.images, team.kernels.lanes)),
        part_images_(spec.images / spec.sum_parts),
        neurons_(share(spec.out, kForwardNeurons, team.threads)),
        block_rows_(std::min(spec.out, kGradientRows)),
        block_columns_(round_up(
            std::clamp(kGradientInputs / spec.images, panel_, kGradientFloats / kGradientRows),
            panel_)) {}

  [[nodiscard]] std::size_t workspace_bytes() const override {
    const std::int64_t threads = team_.threads;
    const std::int64_t forward = input_floats() + threads * neurons_ * image_row_;
    const std::int64_t data = gradient_floats() + threads * data_floats();
    const std::int64_t weights = packed_floats() + threads * weights_floats();
    return static_cast<std::size_t>(std::max({forward, data, weights})) * sizeof(float);
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    const std::int64_t n = spec_.images;
    const std::int64_t in = spec_.in;
    const std::int64_t out = spec_.out;
    const bool relu = spec_.relu;
    auto* const inputs = static_cast<float*>(context.workspace);  // [panel][in][two vectors]
    for_pieces(team_.threads, in, kPackedInputs, [&](std::int64_t begin, std::int64_t end) {
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
    for_pieces(team_.threads, out, kPackedInputs, [&](std::int64_t begin, std::int64_t end) {
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
    const std::int64_t n = spec_.images;
    const std::int64_t in = spec_.in;
    const std::int64_t out = spec_.out;
    auto* const inputs = static_cast<float*>(context.workspace);  // [panel][images][two vectors]
    for_pieces(team_.threads, in, kPackedInputs, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.pack(x.f32() + begin, in, n, end - begin, inputs + begin * n, n * panel_);
    });
    const std::int64_t rows = (out + block_rows_ - 1) / block_rows_;
    const std::int64_t columns = (in + block_columns_ - 1) / block_columns_;
    for_pieces(team_.threads, rows * columns, 1, [&](std::int64_t block, std::int64_t) {
      const std::int64_t row = block % rows * block_rows_;
      const std::int64_t column = block / rows * block_columns_;
      const Range neurons{row, std::min(out, row + block_rows_)};
      float* const scratch = inputs + packed_floats() + omp_get_thread_num() * weights_floats();
      for (std::int64_t i = 0; i < n; ++i)
        std::copy_n(dy.f32() + i * out + row, neurons.size(), scratch + i * block_rows_);
      if (column == 0) sum_biases(neurons, scratch, db.f32() + row);
      gradient_block(neurons, {column, std::min(in, column + block_columns_)}, inputs, scratch,
                     dw.f32(), sink);
    });
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
  [[nodiscard]] std::int64_t packed_floats() const {
    return round_up(spec_.in, panel_) * spec_.images;
  }
  [[nodiscard]] std::int64_t data_floats() const {
    return kBackwardDepth * panel_ + spec_.images * kBackwardInputs;
  }
  [[nodiscard]] std::int64_t tile_floats() const { return block_rows_ * panel_; }
  [[nodiscard]] std::int64_t weights_floats() const {
    // A tile for a sum that cannot be made in place, and those that wait for their other half.
    const std::int64_t tiles = std::bit_width(static_cast<std::uint64_t>(spec_.sum_parts));
    return packed_gradient_floats() + tiles * tile_floats();
  }
  [[nodiscard]] std::int64_t packed_gradient_floats() const {
    return round_up(spec_.images * block_rows_, panel_);
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

  // dy [images][block rows] to db.
  void sum_biases(const Range& neurons, float* scratch, float* db) const {
    float* const sums = scratch + packed_gradient_floats();
    const auto leaf = [&](std::int64_t part, float* to, bool add) {
      float* const sum = add ? sums : to;
      team_.kernels.column_sums(scratch + part * part_images_ * block_rows_, part_images_,
                                neurons.size(), block_rows_, sum, false);
      if (add) team_.kernels.add(sum, to, neurons.size());
    };
    sum_pairwise(
        0, spec_.sum_parts, db, sums + block_rows_, block_rows_, leaf,
        [&](const float* from, float* to) { team_.kernels.add(from, to, neurons.size()); });
  }

  // The rows `neurons` and columns `values` of dw, panel by panel.
  void gradient_block(const Range& neurons, const Range& values, const float* inputs,
                      float* scratch, float* dw, GradientSink* sink) const {
    const std::int64_t in = spec_.in;
    float* const partial = scratch + packed_gradient_floats();
    for (std::int64_t at = values.begin; at < values.end; at += panel_) {
      const std::int64_t width = std::min(panel_, values.end - at);
      const bool whole = width % team_.kernels.lanes == 0;
      float* const to = whole ? dw + neurons.begin * in + at : partial;
      const std::int64_t to_row = whole ? in : panel_;
      const auto leaf = [&](std::int64_t part, float* sum, bool add) {
        const cpu::Product product{.rows = neurons.size(),
                                   .columns = width,
                                   .depth = part_images_,
                                   .a = scratch + part * part_images_ * block_rows_,
                                   .a_row = 1,
                                   .a_step = block_rows_,
                                   .b = inputs + at * spec_.images + part * part_images_ * panel_,
                                   .b_step = panel_,
                                   .b_panel = 0,
                                   .c = sum,
                                   .c_row = sum == to ? to_row : panel_,
                                   .add = add,
                                   .apart = add};
        team_.kernels.product(&product);
      };
      const auto merge = [&](const float* from, float* sum) {
        const std::int64_t row = sum == to ? to_row : panel_;
        for (std::int64_t r = 0; r < neurons.size(); ++r)
          team_.kernels.add(from + r * panel_, sum + r * row, width);
      };
      sum_pairwise(0, spec_.sum_parts, to, partial + tile_floats(), tile_floats(), leaf, merge);
      for (std::int64_t r = 0; !whole && r < neurons.size(); ++r)
        std::copy_n(partial + r * panel_, width, dw + (neurons.begin + r) * in + at);
    }
    for (std::int64_t r = neurons.begin; sink != nullptr && r < neurons.end; ++r)
      sink->finished(dw + r * in + values.begin, values.size());
  }

  CpuTeam team_;
  FullyConnectedSpec spec_;
  std::int64_t panel_;        // columns of a panel of a product
  std::int64_t image_row_;    // images, rounded up to vectors
  std::int64_t part_images_;  // of a part of the sums
  std::int64_t neurons_;      // of a piece of forward work
  std::int64_t block_rows_;   // of a block of the weights' gradient
  std::int64_t block_columns_;
};

}  // namespace

std::unique_ptr<FullyConnectedOp> make_fully_connected_cpu(CpuTeam team,
                                                           const FullyConnectedSpec& spec) {
  check_fully_connected(spec);
  return std::make_unique<FullyConnectedCpu>(team, spec);
}

}  // namespace convoy
