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
#include "core/ops/minimal_passes.h"
#include "core/ops/parallel_cpu.h"
#include "core/ops/sum_parts_cpu.h"
#include "core/ops/unreached_weights.h"

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
        runs_(runs_of_images(spec, forward_.plan.tiles())),
        weights_(forward_.plan, team.kernels.lanes, spec.x.n / runs_, channels_, group_kernels_,
                 runs_ * spec.groups, team.threads),
        unreached_(x_images(), pad(), y_images(), taps_),
        zeros_(static_cast<std::size_t>(std::max(x_.c, y_.c)) + 16) {}

  [[nodiscard]] InputForm input_form() const override { return form_; }

  [[nodiscard]] std::size_t workspace_bytes() const override {
    const std::int64_t threads = team_.threads;
    const std::int64_t forward =
        forward_.points() * spec_.groups + threads * forward_.thread_floats();
    const std::int64_t backward =
        spec_.needs_dx ? backward_.points() * spec_.groups + threads * backward_.thread_floats()
                       : 0;
    const std::int64_t weights =
        threads * gradient_floats() + runs_ * (filter_floats() + bias_floats());
    return static_cast<std::size_t>(std::max({forward, backward, weights}) + blocked_floats()) *
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
    // Gradients of runs of images, [run][kernels, taps, taps, channels] and [run][kernels].
    auto* const filters = static_cast<float*>(context.workspace);
    float* const biases = filters + runs_ * filter_floats();
    float* const work = biases + runs_ * bias_floats();
    const std::int64_t units = runs_ * spec_.groups * weights_.slices;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t unit = 0; unit < units; ++unit) {
      const std::int64_t run = unit / (spec_.groups * weights_.slices);
      const std::int64_t group = unit / weights_.slices % spec_.groups;
      const std::int64_t begin = unit % weights_.slices * weights_.slice;
      const Range kernels{begin, std::min(group_kernels_, begin + weights_.slice)};
      gradient_of_run(run, group, kernels, x.f32(), dy.f32(), filters + run * filter_floats(),
                      biases + run * bias_floats(),
                      work + omp_get_thread_num() * gradient_floats());
    }
    sum_parts(team_, filters, runs_, filter_floats());
    sum_parts(team_, biases, runs_, bias_floats());
    std::copy_n(biases, y_.c, db.f32());
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
  [[nodiscard]] std::int64_t filter_floats() const {
    return MinimalPlan::odd_lines(y_.c * taps_ * taps_ * channels_);
  }
  [[nodiscard]] std::int64_t bias_floats() const { return MinimalPlan::odd_lines(y_.c); }
  [[nodiscard]] std::int64_t blocked_floats() const {
    return form_.block > 1 ? filter_floats() : 0;
  }
  // Work memory of a thread for a gradient of weights.
  [[nodiscard]] std::int64_t gradient_floats() const {
    const std::int64_t sums = weights_.thread_floats(forward_.plan.planes());
    if (!spec_.exact_zeros) return sums;
    return std::max(sums, MinimalPlan::odd_lines(unreached_.floats(weights_.slice)));
  }
  // The kernels only read what they take as images of inputs.
  [[nodiscard]] cpu::MinimalImages view(const Images& images, const float* data) const {
    return {const_cast<float*>(data), images.h,     images.w, images.pixel,
            images.channels,          zeros_.data()};
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
      to.images = view(a.out, out + at);
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
    const cpu::MinimalImages from = view(a.in, in);
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

  // The gradients of some kernels of a group, summed over a run of images, into dw and db of that
  // run.
  void gradient_of_run(std::int64_t run, std::int64_t group, const Range& kernels, const float* x,
                       const float* dy, float* dw, float* db, float* scratch) const {
    const WeightGradient& g = weights_;
    const MinimalPlan& plan = forward_.plan;
    const std::int64_t run_images = spec_.x.n / runs_;
    const std::int64_t first_kernel = group * group_kernels_ + kernels.begin;
    float* const sums = scratch + g.inputs.floats + g.gradients.floats;
    Images outputs = forward_.out;
    outputs.channels = kernels.size();
    bool add = false;
    for (std::int64_t n = 0; n < run_images; n += g.extent.images) {
      const std::int64_t first = run * run_images + n;
      const cpu::MinimalImages from =
          view(forward_.in, x + forward_.in.at(first) + group * channels_);
      const cpu::MinimalImages gradient = view(outputs, dy + outputs.at(first) + first_kernel);
      for (std::int64_t row = 0; row < plan.tile_rows(); row += g.extent.tile_rows) {
        const cpu::MinimalBlock block =
            plan.block(std::min(g.extent.images, run_images - n), row,
                       std::min(plan.tile_rows(), row + g.extent.tile_rows));
        add_products(block, from, gradient, kernels, add, sums, db + first_kernel, scratch);
        add = true;
      }
    }
    const cpu::MinimalFilterGradient result{.sums = sums,
                                            .plane = g.sums_plane,
                                            .row = g.sums_row,
                                            .kernels = kernels.size(),
                                            .channels = channels_,
                                            .dw = dw + first_kernel * taps_ * taps_ * channels_};
    kernels_.filter_gradient(&result);
    if (spec_.exact_zeros)
      unreached_.clear(x + forward_.in.at(run * run_images) + group * channels_,
                       dy + outputs.at(run * run_images) + first_kernel, run_images, kernels.size(),
                       result.dw, scratch);
  }

  // Adds a block's products to the sums, or begins them with it.
  void add_products(const cpu::MinimalBlock& block, const cpu::MinimalImages& x,
                    const cpu::MinimalImages& dy, const Range& kernels, bool add, float* sums,
                    float* db, float* scratch) const {
    const WeightGradient& g = weights_;
    const MinimalPlan& plan = forward_.plan;
    const cpu::MinimalPlanes inputs = g.inputs.in(scratch);
    const cpu::MinimalPlanes gradients = g.gradients.in(scratch + g.inputs.floats);
    kernels_.input(&block, &inputs, &x, pad());
    kernels_.gradient(&block, &gradients, &dy);
    const std::int64_t planes = plan.planes();
    for (std::int64_t t = 0; t < planes; ++t) {
      const auto plane = static_cast<std::size_t>(t);
      const cpu::Product product{.rows = kernels.size(),
                                 .columns = channels_,
                                 .depth = plan.rows(t, block),
                                 .a = gradients.data + g.gradients.offsets[plane],
                                 .a_row = 1,
                                 .a_step = gradients.row,
                                 .b = inputs.data + g.inputs.offsets[plane],
                                 .b_step = inputs.row,
                                 .b_panel = 2 * team_.kernels.lanes,
                                 .c = sums + t * g.sums_plane,
                                 .c_row = g.sums_row,
                                 .add = add,
                                 .ahead = sums + (t + 1) % planes * g.sums_plane,
                                 .ahead_row = cpu::kAheadFloats,
                                 .ahead_rows = add ? g.sums_plane / cpu::kAheadFloats : 0};
      team_.kernels.product(&product);
    }
    const auto plain = static_cast<std::size_t>(plan.sum_plane());
    team_.kernels.column_sums(gradients.data + g.gradients.offsets[plain],
                              plan.rows(plan.sum_plane(), block), kernels.size(), gradients.row, db,
                              add);
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
  std::int64_t runs_;  // of images, whose sums are added pairwise
  WeightGradient weights_;
  UnreachedWeights unreached_;
  std::vector<float> zeros_;
};

}  // namespace

std::unique_ptr<ConvOp> make_minimal_conv_cpu(CpuTeam team, const ConvSpec& spec) {
  return std::make_unique<MinimalConv>(team, spec);
}

}  // namespace convoy
