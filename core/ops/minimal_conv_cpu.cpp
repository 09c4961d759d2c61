// Convolution by minimal filtering on the CPU: blocks of images and groups, spread over threads.
//
// Results do not depend on the number of threads, on the images of a block, or on which kernels are
// held here: each output is the work of one thread on one image, and a gradient of weights is
// summed in the order that ConvSpec::sum_parts says.
#include "core/ops/minimal_conv_cpu.h"

#include <array>
#include <bit>
#include <vector>

#include <omp.h>

#include "core/error.h"
#include "core/ops/minimal_tiles.h"
#include "core/ops/parallel_cpu.h"
#include "core/ops/sum_parts_cpu.h"

namespace convoy {
namespace {

using Offsets = std::array<std::int64_t, MinimalPlan::kMaxPlanes>;

// Planes of products in work memory.
struct Planes {
  Offsets offsets{};
  std::int64_t row = 0;     // floats between rows
  std::int64_t floats = 0;  // of all of them

  Planes() = default;
  Planes(const MinimalPlan& plan, std::int64_t images, std::int64_t channels)
      : row(MinimalPlan::row_floats(channels)), floats(plan.place(images, channels, offsets)) {}
  [[nodiscard]] cpu::MinimalPlanes in(float* memory) const { return {memory, offsets.data(), row}; }
};

// The work memory of one thread that a block of images may fill: what lies in a core's own cache is
// quick, and a block's filters are read once for all its images.
constexpr std::int64_t kBlockBytes = std::int64_t{3} << 20;

std::int64_t images_of_block(std::int64_t floats_per_image, std::int64_t images) {
  const std::int64_t fit =
      kBlockBytes / (floats_per_image * static_cast<std::int64_t>(sizeof(float)));
  return std::clamp<std::int64_t>(fit, 1, images);
}

// Kernels whose products are made one after another before they are transformed.
constexpr std::int64_t kKernelBlock = 64;

// One group's convolution with stride 1, whose taps are `kernels.taps`: from images of h x w with
// `depth` channels each to p x q with `outputs`.
struct Application {
  const cpu::MinimalKernels* kernels;
  MinimalPlan plan;
  std::int64_t h, w, depth, pad;
  std::int64_t p, q, outputs;
  std::int64_t block_images;
  std::int64_t kernel_block;
  Planes inputs, products;
  std::int64_t points_plane;  // floats of a plane of the transformed filters

  Application(const cpu::MinimalKernels& k, std::int64_t lanes, std::int64_t images,
              std::int64_t in_h, std::int64_t in_w, std::int64_t in_depth, std::int64_t in_pad,
              std::int64_t out_h, std::int64_t out_w, std::int64_t out_channels)
      : kernels(&k),
        plan(k, out_h, out_w),
        h(in_h),
        w(in_w),
        depth(in_depth),
        pad(in_pad),
        p(out_h),
        q(out_w),
        outputs(out_channels) {
    const std::int64_t panel = 2 * lanes;
    const std::int64_t panels = (outputs + panel - 1) / panel;
    kernel_block = std::min(panels * panel, std::max(panel, kKernelBlock));
    block_images =
        images_of_block(plan.floats_per_image(depth) + plan.floats_per_image(kernel_block), images);
    inputs = Planes(plan, block_images, depth);
    products = Planes(plan, block_images, std::min(kernel_block, outputs));
    points_plane = MinimalPlan::odd_lines(panels * panel * depth);
  }

  [[nodiscard]] std::int64_t points() const { return plan.planes() * points_plane; }
  [[nodiscard]] std::int64_t thread_floats() const { return inputs.floats + products.floats; }
};

// The gradient of the weights: V and G are the planes of the input and of the outputs' gradient,
// and the sums have one plane [kernels, channels] for each product.
struct WeightGradient {
  std::int64_t block_images = 1;
  std::int64_t slices = 1;  // of the kernels, so that there is work for every thread
  std::int64_t slice = 0;   // kernels in a slice
  Planes inputs, gradients;
  std::int64_t sums_row = 0;
  std::int64_t sums_plane = 0;

  WeightGradient() = default;
  WeightGradient(const MinimalPlan& plan, std::int64_t lanes, std::int64_t part_images,
                 std::int64_t channels, std::int64_t kernels, std::int64_t parts_and_groups,
                 std::int64_t threads) {
    const std::int64_t most = (kernels + lanes - 1) / lanes;
    slices = std::clamp<std::int64_t>((threads + parts_and_groups - 1) / parts_and_groups, 1, most);
    slice = (most + slices - 1) / slices * lanes;
    slices = (kernels + slice - 1) / slice;
    slice = std::min(slice, kernels);
    const std::int64_t kernel_block = std::min(slice, kKernelBlock);
    block_images = images_of_block(
        plan.floats_per_image(channels) + plan.floats_per_image(kernel_block), part_images);
    inputs = Planes(plan, block_images, channels);
    gradients = Planes(plan, block_images, kernel_block);
    sums_row = MinimalPlan::row_floats(channels);
    sums_plane = MinimalPlan::odd_lines(slice * sums_row);
  }
  [[nodiscard]] std::int64_t thread_floats(std::int64_t planes) const {
    return inputs.floats + gradients.floats + planes * sums_plane;
  }
};

class MinimalConv : public ConvOp {
 public:
  MinimalConv(CpuTeam team, const ConvSpec& spec)
      : team_(team),
        spec_(spec),
        y_(spec.y()),
        form_(minimal_input_form(spec)),
        taps_(form_.block > 1 ? (spec.kernel + spec.stride - 1) / spec.stride : spec.kernel),
        kernels_(taps_ == 3 ? *team.kernels.minimal3 : *team.kernels.minimal5),
        x_(form_.block > 1 ? form_.shape(spec.x.n) : spec.x),
        channels_(x_.c / spec.groups),
        group_kernels_(spec.kernels / spec.groups),
        forward_(kernels_, team.kernels.lanes, spec.x.n, x_.h, x_.w, channels_, pad(), y_.h, y_.w,
                 group_kernels_),
        backward_(kernels_, team.kernels.lanes, spec.x.n, y_.h, y_.w, group_kernels_,
                  taps_ - 1 - pad(), x_.h, x_.w, channels_),
        weights_(forward_.plan, team.kernels.lanes, spec.x.n / spec.sum_parts, channels_,
                 group_kernels_, spec.sum_parts * spec.groups, team.threads),
        zeros_(static_cast<std::size_t>(std::max(x_.c, y_.c)) + 16) {}

  [[nodiscard]] InputForm input_form() const override { return form_; }

  [[nodiscard]] std::size_t workspace_bytes() const override {
    const std::int64_t threads = team_.threads;
    const std::int64_t forward =
        forward_.points() * spec_.groups + threads * forward_.thread_floats();
    const std::int64_t backward =
        spec_.needs_dx ? backward_.points() * spec_.groups + threads * backward_.thread_floats()
                       : 0;
    const std::int64_t weights = threads * weights_.thread_floats(forward_.plan.planes()) +
                                 spec_.sum_parts * (filter_floats() + bias_floats());
    return static_cast<std::size_t>(std::max({forward, backward, weights}) + blocked_floats()) *
           sizeof(float);
  }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("minimal filtering F({},{}), {}", kernels_.outputs, kernels_.taps,
                       team_.kernels.name);
  }

  [[nodiscard]] ConvProducts products() const override {
    const std::int64_t pair = channels_ * group_kernels_ * spec_.groups;
    const std::int64_t forward = forward_.plan.rows(spec_.x.n) * pair;
    return {forward, spec_.needs_dx ? backward_.plan.rows(spec_.x.n) * pair : 0, forward};
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    auto* work = static_cast<float*>(context.workspace);
    const float* filter = w.f32();
    if (form_.block > 1) {
      to_blocks(filter, work);
      filter = work;
      work += blocked_floats();
    }
    apply(forward_, false, x.f32(), x_.c, filter, y.f32(), y_.c,
          {.images = {}, .bias = b.f32(), .relu = spec_.relu, .mask = nullptr}, work);
  }

  void backward_data(const OpContext& context, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    if (!spec_.needs_dx)
      fail(ExitCode::usage, "This convolution was made without its data gradient.");
    cpu::MinimalOutput epilogue{};
    if (mask != nullptr) epilogue.mask = mask->f32();
    apply(backward_, true, dy.f32(), y_.c, w.f32(), dx.f32(), x_.c, epilogue,
          static_cast<float*>(context.workspace));
  }

  void backward_weights(const OpContext& context, const Tensor& x, const Tensor& dy,
                        const Tensor& dw, const Tensor& db) override {
    // Gradients of parts of the batch, [part][kernels, taps, taps, channels] and [part][kernels].
    auto* const filters = static_cast<float*>(context.workspace);
    float* const biases = filters + spec_.sum_parts * filter_floats();
    float* const work = biases + spec_.sum_parts * bias_floats();
    const std::int64_t units = spec_.sum_parts * spec_.groups * weights_.slices;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t unit = 0; unit < units; ++unit) {
      const std::int64_t part = unit / (spec_.groups * weights_.slices);
      const std::int64_t group = unit / weights_.slices % spec_.groups;
      const std::int64_t begin = unit % weights_.slices * weights_.slice;
      const Range kernels{begin, std::min(group_kernels_, begin + weights_.slice)};
      gradient_of_part(
          part, group, kernels, x.f32(), dy.f32(), filters + part * filter_floats(),
          biases + part * bias_floats(),
          work + omp_get_thread_num() * weights_.thread_floats(forward_.plan.planes()));
    }
    sum_parts(team_, filters, spec_.sum_parts, filter_floats());
    sum_parts(team_, biases, spec_.sum_parts, bias_floats());
    std::copy_n(biases, y_.c, db.f32());
    if (form_.block > 1)
      from_blocks(filters, dw.f32());
    else
      for_pieces(team_.threads, dw.count(), kElementPiece, [&](std::int64_t from, std::int64_t to) {
        std::copy(filters + from, filters + to, dw.f32() + from);
      });
  }

 private:
  // Blocks of pixels hold the padding already.
  [[nodiscard]] std::int64_t pad() const { return form_.block > 1 ? 0 : spec_.pad_begin; }
  [[nodiscard]] std::int64_t filter_floats() const {
    return MinimalPlan::odd_lines(y_.c * taps_ * taps_ * channels_);
  }
  [[nodiscard]] std::int64_t bias_floats() const { return MinimalPlan::odd_lines(y_.c); }
  [[nodiscard]] std::int64_t blocked_floats() const {
    return form_.block > 1 ? filter_floats() : 0;
  }

  // out = in * filter for all groups and images; `flip` for the gradient of the input.
  void apply(const Application& a, bool flip, const float* in, std::int64_t in_pixel,
             const float* w, float* out, std::int64_t out_pixel, const cpu::MinimalOutput& epilogue,
             float* work) {
    transform_filters(a, flip, w, work);
    float* const scratch = work + spec_.groups * a.points();
    // Blocks get smaller where there would not be one for every thread.
    const std::int64_t share = (spec_.x.n * spec_.groups + team_.threads - 1) / team_.threads;
    const std::int64_t block = std::min(a.block_images, share);
    const std::int64_t blocks = (spec_.x.n + block - 1) / block;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t unit = 0; unit < blocks * spec_.groups; ++unit) {
      const std::int64_t group = unit % spec_.groups;
      const std::int64_t first = unit / spec_.groups * block;
      const std::int64_t images = std::min(block, spec_.x.n - first);
      cpu::MinimalOutput to = epilogue;
      const std::int64_t at = first * a.p * a.q * out_pixel + group * a.outputs;
      to.images = {out + at, a.p, a.q, out_pixel, a.outputs, zeros_.data()};
      if (to.bias != nullptr) to.bias += group * a.outputs;
      if (to.mask != nullptr) to.mask += at;
      apply_block(a, images, in + first * a.h * a.w * in_pixel + group * a.depth, in_pixel,
                  work + group * a.points(), to,
                  scratch + omp_get_thread_num() * a.thread_floats());
    }
  }

  void apply_block(const Application& a, std::int64_t images, const float* in,
                   std::int64_t in_pixel, const float* points, const cpu::MinimalOutput& out,
                   float* scratch) const {
    const cpu::MinimalBlock block = a.plan.block(images);
    const cpu::MinimalPlanes inputs = a.inputs.in(scratch);
    const cpu::MinimalPlanes products = a.products.in(scratch + a.inputs.floats);
    const cpu::MinimalImages from{const_cast<float*>(in), a.h, a.w, in_pixel, a.depth,
                                  zeros_.data()};
    a.kernels->input(&block, &inputs, &from, a.pad);
    const std::int64_t panel = 2 * team_.kernels.lanes;
    for (std::int64_t k = 0; k < a.outputs; k += a.kernel_block) {
      const std::int64_t count = std::min(a.kernel_block, a.outputs - k);
      for (std::int64_t t = 0; t < a.plan.planes(); ++t) {
        const auto plane = static_cast<std::size_t>(t);
        const cpu::Product product{.rows = a.plan.rows(t, images),
                                   .columns = count,
                                   .depth = a.depth,
                                   .a = inputs.data + a.inputs.offsets[plane],
                                   .a_row = inputs.row,
                                   .a_step = 1,
                                   .b = points + t * a.points_plane + k * a.depth,
                                   .b_step = panel,
                                   .b_panel = panel * a.depth,
                                   .c = products.data + a.products.offsets[plane],
                                   .c_row = products.row,
                                   .add = false};
        team_.kernels.product(&product);
      }
      cpu::MinimalOutput to = out;
      to.images.data += k;
      to.images.channels = count;
      if (to.bias != nullptr) to.bias += k;
      if (to.mask != nullptr) to.mask += k;
      a.kernels->output(&block, &products, &to);
    }
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

  void gradient_of_part(std::int64_t part, std::int64_t group, const Range& kernels, const float* x,
                        const float* dy, float* dw, float* db, float* scratch) const {
    const WeightGradient& g = weights_;
    const MinimalPlan& plan = forward_.plan;
    const cpu::MinimalPlanes inputs = g.inputs.in(scratch);
    const cpu::MinimalPlanes gradients = g.gradients.in(scratch + g.inputs.floats);
    float* const sums = scratch + g.inputs.floats + g.gradients.floats;
    const std::int64_t part_images = spec_.x.n / spec_.sum_parts;
    const std::int64_t first_kernel = group * group_kernels_ + kernels.begin;
    for (std::int64_t n = 0; n < part_images; n += g.block_images) {
      const std::int64_t images = std::min(g.block_images, part_images - n);
      const std::int64_t first = part * part_images + n;
      const cpu::MinimalBlock block = plan.block(images);
      const cpu::MinimalImages from{
          const_cast<float*>(x) + first * x_.h * x_.w * x_.c + group * channels_,
          x_.h,
          x_.w,
          x_.c,
          channels_,
          zeros_.data()};
      kernels_.input(&block, &inputs, &from, pad());
      for (std::int64_t k = 0; k < kernels.size(); k += kKernelBlock) {
        const std::int64_t count = std::min(kKernelBlock, kernels.size() - k);
        const cpu::MinimalImages outputs{
            const_cast<float*>(dy) + first * y_.h * y_.w * y_.c + first_kernel + k,
            y_.h,
            y_.w,
            y_.c,
            count,
            zeros_.data()};
        kernels_.gradient(&block, &gradients, &outputs);
        for (std::int64_t t = 0; t < plan.planes(); ++t) {
          const auto plane = static_cast<std::size_t>(t);
          const cpu::Product product{.rows = count,
                                     .columns = channels_,
                                     .depth = plan.rows(t, images),
                                     .a = gradients.data + g.gradients.offsets[plane],
                                     .a_row = 1,
                                     .a_step = gradients.row,
                                     .b = inputs.data + g.inputs.offsets[plane],
                                     .b_step = inputs.row,
                                     .b_panel = 2 * team_.kernels.lanes,
                                     .c = sums + t * g.sums_plane + k * g.sums_row,
                                     .c_row = g.sums_row,
                                     .add = n > 0};
          team_.kernels.product(&product);
        }
        const auto plain = static_cast<std::size_t>(plan.sum_plane());
        team_.kernels.column_sums(gradients.data + g.gradients.offsets[plain],
                                  plan.rows(plan.sum_plane(), images), count, gradients.row,
                                  db + first_kernel + k, n > 0);
      }
    }
    const cpu::MinimalFilterGradient result{.sums = sums,
                                            .plane = g.sums_plane,
                                            .row = g.sums_row,
                                            .kernels = kernels.size(),
                                            .channels = channels_,
                                            .dw = dw + first_kernel * taps_ * taps_ * channels_};
    kernels_.filter_gradient(&result);
  }

  // Calls body(place in [kernel, kernel, 3], place in [taps, taps, channels of a block]) for every
  // row of colours of a filter.
  template <typename Body>
  void for_block_places(const Body& body) const {
    const std::int64_t c = spec_.x.c;
    const std::int64_t s = form_.block;
    for (std::int64_t i = 0; i < spec_.kernel; ++i)
      for (std::int64_t j = 0; j < spec_.kernel; ++j)
        body((i * spec_.kernel + j) * c,
             (i / s * taps_ + j / s) * channels_ + (i % s * s + j % s) * c);
  }

  // [K, kernel, kernel, 3] to [K, taps, taps, channels of a block]; taps beyond the kernel are
  // zero.
  void to_blocks(const float* w, float* blocked) const {
    const std::int64_t plain = spec_.kernel * spec_.kernel * spec_.x.c;
    const std::int64_t size = taps_ * taps_ * channels_;
    std::fill(blocked, blocked + y_.c * size, 0.0f);
    for (std::int64_t k = 0; k < y_.c; ++k)
      for_block_places([&](std::int64_t from, std::int64_t to) {
        std::copy_n(w + k * plain + from, spec_.x.c, blocked + k * size + to);
      });
  }

  void from_blocks(const float* blocked, float* w) const {
    const std::int64_t plain = spec_.kernel * spec_.kernel * spec_.x.c;
    const std::int64_t size = taps_ * taps_ * channels_;
    for (std::int64_t k = 0; k < y_.c; ++k)
      for_block_places([&](std::int64_t to, std::int64_t from) {
        std::copy_n(blocked + k * size + from, spec_.x.c, w + k * plain + to);
      });
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
  WeightGradient weights_;
  std::vector<float> zeros_;
};

}  // namespace

std::unique_ptr<ConvOp> make_minimal_conv_cpu(CpuTeam team, const ConvSpec& spec) {
  return std::make_unique<MinimalConv>(team, spec);
}

}  // namespace convoy
