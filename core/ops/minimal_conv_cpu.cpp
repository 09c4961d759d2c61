// Convolution by minimal filtering on the CPU: blocks of images and groups, spread over threads.
//
// Results do not depend on the number of threads, on the images of a block, or on which kernels are
// held here: each output is the work of one thread on one image, and a gradient of weights is
// summed in the order that ConvSpec::sum_parts says.
#include "core/ops/minimal_conv_cpu.h"

#include <vector>

#include <omp.h>

#include "core/error.h"
#include "core/ops/blocked_filter.h"
#include "core/ops/minimal_gradient_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

class MinimalConv : public ConvOp {
 public:
  MinimalConv(CpuTeam team, const ConvSpec& spec)
      : team_(team),
        spec_(spec),
        y_(spec.y()),
        form_(minimal_input_form(spec)),
        taps_(minimal_taps(spec)),
        kernels_(taps_ == 3 ? *team.kernels.minimal3 : *team.kernels.minimal5),
        x_(form_.shape(spec.x.n)),
        channels_(x_.c / spec.groups),
        group_kernels_(spec.kernels / spec.groups),
        forward_(kernels_, team.kernels.lanes, spec.x.n, x_images(), pad(), y_images()),
        backward_(kernels_, team.kernels.lanes, spec.x.n, y_images(), taps_ - 1 - pad(),
                  x_images()),
        zeros_(static_cast<std::size_t>(std::max(x_.c, y_.c)) + 16),
        weights_(team, spec, forward_, zeros_.data()) {}

  [[nodiscard]] InputForm input_form() const override { return form_; }

  [[nodiscard]] std::size_t workspace_bytes() const override {
    const std::int64_t threads = team_.threads;
    const std::int64_t forward =
        forward_.points() * spec_.groups + threads * forward_.thread_floats();
    const std::int64_t backward =
        spec_.needs_dx ? backward_.points() * spec_.groups + threads * backward_.thread_floats()
                       : 0;
    return static_cast<std::size_t>(std::max({forward, backward, weights_.workspace_floats()}) +
                                    blocked_floats()) *
           sizeof(float);
  }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("minimal filtering F({},{}), {}", kernels_.outputs, kernels_.taps,
                       team_.kernels.name);
  }

  [[nodiscard]] ConvProducts products() const override {
    const std::int64_t pair = channels_ * group_kernels_ * spec_.groups;
    const std::int64_t forward = forward_.plan.all_rows(spec_.x.n) * pair;
    return {forward, spec_.needs_dx ? backward_.plan.all_rows(spec_.x.n) * pair : 0, forward};
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    auto* work = static_cast<float*>(context.workspace);
    const float* filter = w.f32();
    if (form_.block > 1) {
      BlockedFilter(spec_).to_blocks(filter, work);
      filter = work;
      work += blocked_floats();
    }
    cpu::MinimalOutput epilogue{};
    epilogue.bias = b.f32();
    epilogue.relu = spec_.relu;
    apply(forward_, false, x.f32(), filter, y.f32(), epilogue, work);
  }

  void backward_data(const OpContext& context, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    if (!spec_.needs_dx)
      fail(ExitCode::usage, "This convolution was made without its data gradient.");
    cpu::MinimalOutput epilogue{};
    if (mask != nullptr) epilogue.mask = mask->f32();
    apply(backward_, true, dy.f32(), w.f32(), dx.f32(), epilogue,
          static_cast<float*>(context.workspace));
  }

  void backward_weights(const OpContext& context, const Tensor& x, const Tensor& dy,
                        const Tensor& dw, const Tensor& db) override {
    const float* const filters =
        weights_.run(static_cast<float*>(context.workspace), x.f32(), dy.f32(), db.f32());
    if (form_.block > 1)
      BlockedFilter(spec_).from_blocks(filters, dw.f32());
    else
      for_pieces(team_.threads, dw.count(), kElementPiece, [&](std::int64_t from, std::int64_t to) {
        std::copy(filters + from, filters + to, dw.f32() + from);
      });
  }

 private:
  // Blocks of pixels hold the padding already.
  [[nodiscard]] std::int64_t pad() const { return form_.block > 1 ? 0 : spec_.pad_begin; }
  [[nodiscard]] Images x_images() const { return {x_.h, x_.w, channels_, x_.c}; }
  [[nodiscard]] Images y_images() const { return {y_.h, y_.w, group_kernels_, y_.c}; }
  [[nodiscard]] std::int64_t blocked_floats() const {
    return form_.block > 1 ? weights_.filter_floats() : 0;
  }

  // out = in * filter for all groups and images; `flip` for the gradient of the input.
  void apply(const Application& a, bool flip, const float* in, const float* w, float* out,
             const cpu::MinimalOutput& epilogue, float* work) {
    transform_filters(a, flip, w, work);
    float* const scratch = work + spec_.groups * a.points();
    // Blocks get smaller where there would not be one for every thread.
    const std::int64_t share = (spec_.x.n * spec_.groups + team_.threads - 1) / team_.threads;
    const std::int64_t block = std::min(a.extent.images, share);
    const std::int64_t blocks = (spec_.x.n + block - 1) / block;
    const std::int64_t bands = (a.plan.tile_rows() + a.extent.tile_rows - 1) / a.extent.tile_rows;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t unit = 0; unit < blocks * spec_.groups * bands; ++unit) {
      const std::int64_t group = unit / bands % spec_.groups;
      const std::int64_t first = unit / bands / spec_.groups * block;
      const std::int64_t row = unit % bands * a.extent.tile_rows;
      cpu::MinimalOutput to = epilogue;
      const std::int64_t at = a.out.at(first) + group * a.out.channels;
      to.images = view(a.out, out + at, zeros_.data());
      if (to.bias != nullptr) to.bias += group * a.out.channels;
      if (to.mask != nullptr) to.mask += at;
      apply_block(a,
                  a.plan.block(std::min(block, spec_.x.n - first), row,
                               std::min(a.plan.tile_rows(), row + a.extent.tile_rows)),
                  in + a.in.at(first) + group * a.in.channels, work + group * a.points(), to,
                  scratch + omp_get_thread_num() * a.thread_floats());
    }
  }

  void apply_block(const Application& a, const cpu::MinimalBlock& block, const float* in,
                   const float* points, const cpu::MinimalOutput& out, float* scratch) const {
    const cpu::MinimalPlanes inputs = a.inputs.in(scratch);
    const cpu::MinimalPlanes products = a.products.in(scratch + a.inputs.floats);
    const cpu::MinimalImages from = view(a.in, in, zeros_.data());
    a.kernels->input(&block, &inputs, &from, a.pad);
    const std::int64_t panel = 2 * team_.kernels.lanes;
    const std::int64_t planes = a.plan.planes();
    for (std::int64_t t = 0; t < planes; ++t) {
      const auto plane = static_cast<std::size_t>(t);
      const cpu::Product product{.rows = a.plan.rows(t, block),
                                 .columns = a.out.channels,
                                 .depth = a.in.channels,
                                 .a = inputs.data + a.inputs.offsets[plane],
                                 .a_row = inputs.row,
                                 .a_step = 1,
                                 .b = points + t * a.points_plane,
                                 .b_step = panel,
                                 .b_panel = panel * a.in.channels,
                                 .c = products.data + a.products.offsets[plane],
                                 .c_row = products.row,
                                 .add = false,
                                 .ahead = points + (t + 1) % planes * a.points_plane,
                                 .ahead_row = cpu::kAheadFloats,
                                 .ahead_rows = a.points_plane / cpu::kAheadFloats};
      team_.kernels.product(&product);
    }
    a.kernels->output(&block, &products, &out);
  }

  // Filters [group][plane][panel][depth][two vectors], spread over threads by vectors of kernels.
  void transform_filters(const Application& a, bool flip, const float* w, float* points) const {
    const std::int64_t lanes = team_.kernels.lanes;
    const std::int64_t pieces = (group_kernels_ + lanes - 1) / lanes;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t i = 0; i < spec_.groups * pieces; ++i) {
      const std::int64_t group = i / pieces;
      const std::int64_t begin = i % pieces * lanes;
      const cpu::MinimalFilter filter{.w = w + group * group_kernels_ * taps_ * taps_ * channels_,
                                      .kernels = group_kernels_,
                                      .channels = channels_,
                                      .begin = begin,
                                      .end = std::min(group_kernels_, begin + lanes),
                                      .points = points + group * a.points(),
                                      .plane = a.points_plane};
      if (flip)
        a.kernels->filter_flipped(&filter);
      else
        a.kernels->filter(&filter);
    }
  }

  CpuTeam team_;
  ConvSpec spec_;
  Shape y_;
  InputForm form_;
  std::int64_t taps_;
  const cpu::MinimalKernels& kernels_;
  Shape x_;                     // as it lies in memory
  std::int64_t channels_;       // of a group
  std::int64_t group_kernels_;  // of a group
  Application forward_;
  Application backward_;
  std::vector<float> zeros_;  // a pixel
  MinimalGradient weights_;
};

}  // namespace

std::unique_ptr<ConvOp> make_minimal_conv_cpu(CpuTeam team, const ConvSpec& spec) {
  return std::make_unique<MinimalConv>(team, spec);
}

}  // namespace convoy
