// Kernels by tiles times tiles by channels, summed over runs of images, plane by plane.
#include "core/ops/minimal_gradient_cpu.h"

#include <algorithm>

#include <omp.h>

#include "core/ops/sum_parts_cpu.h"

namespace convoy {

MinimalGradient::MinimalGradient(CpuTeam team, const ConvSpec& spec, const Application& forward,
                                 const float* zeros)
    : team_(team),
      spec_(spec),
      forward_(forward),
      kernels_(*forward.kernels),
      zeros_(zeros),
      runs_(runs_of_images(spec, forward.plan.tiles())),
      sums_(forward.plan, team.kernels.lanes, spec.x.n / runs_, forward.in.channels,
            forward.out.channels, runs_ * spec.groups, team.threads),
      unreached_(forward.in, forward.pad, forward.out, kernels_.taps) {}

std::int64_t MinimalGradient::filter_floats() const {
  return MinimalPlan::odd_lines(forward_.out.pixel * kernels_.taps * kernels_.taps * channels());
}

std::int64_t MinimalGradient::bias_floats() const {
  return MinimalPlan::odd_lines(forward_.out.pixel);
}

std::int64_t MinimalGradient::thread_floats() const {
  const std::int64_t sums = sums_.thread_floats(forward_.plan.planes());
  if (!spec_.exact_zeros) return sums;
  return std::max(sums, MinimalPlan::odd_lines(unreached_.floats(sums_.slice)));
}

std::int64_t MinimalGradient::workspace_floats() const {
  return team_.threads * thread_floats() + runs_ * (filter_floats() + bias_floats());
}

const float* MinimalGradient::run(float* workspace, const float* x, const float* dy,
                                  float* db) const {
  // Gradients of runs of images, [run][kernels, taps, taps, channels] and [run][kernels].
  float* const filters = workspace;
  float* const biases = filters + runs_ * filter_floats();
  float* const work = biases + runs_ * bias_floats();
  const std::int64_t units = runs_ * spec_.groups * sums_.slices;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
  for (std::int64_t unit = 0; unit < units; ++unit) {
    const std::int64_t run = unit / (spec_.groups * sums_.slices);
    const std::int64_t group = unit / sums_.slices % spec_.groups;
    const std::int64_t begin = unit % sums_.slices * sums_.slice;
    const Range kernels{begin, std::min(forward_.out.channels, begin + sums_.slice)};
    sum_run(run, group, kernels, x, dy, filters + run * filter_floats(),
            biases + run * bias_floats(), work + omp_get_thread_num() * thread_floats());
  }
  sum_parts(team_, filters, runs_, filter_floats());
  sum_parts(team_, biases, runs_, bias_floats());
  std::copy_n(biases, forward_.out.pixel, db);
  return filters;
}

// The gradients of some kernels of a group, summed over a run of images, into dw and db of that
// run.
void MinimalGradient::sum_run(std::int64_t run, std::int64_t group, const Range& kernels,
                              const float* x, const float* dy, float* dw, float* db,
                              float* scratch) const {
  const MinimalPlan& plan = forward_.plan;
  const std::int64_t run_images = spec_.x.n / runs_;
  const std::int64_t first_kernel = group * forward_.out.channels + kernels.begin;
  float* const sums = scratch + sums_.inputs.floats + sums_.gradients.floats;
  const float* const inputs = x + group * channels();
  Images outputs = forward_.out;
  outputs.channels = kernels.size();
  bool add = false;
  for (std::int64_t n = 0; n < run_images; n += sums_.extent.images) {
    const std::int64_t first = run * run_images + n;
    const cpu::MinimalImages from = view(forward_.in, inputs + forward_.in.at(first), zeros_);
    const cpu::MinimalImages gradient =
        view(outputs, dy + outputs.at(first) + first_kernel, zeros_);
    for (std::int64_t row = 0; row < plan.tile_rows(); row += sums_.extent.tile_rows) {
      const cpu::MinimalBlock block =
          plan.block(std::min(sums_.extent.images, run_images - n), row,
                     std::min(plan.tile_rows(), row + sums_.extent.tile_rows));
      add_products(block, from, gradient, kernels, add, sums, db + first_kernel, scratch);
      add = true;
    }
  }
  const cpu::MinimalFilterGradient result{
      .sums = sums,
      .plane = sums_.sums_plane,
      .row = sums_.sums_row,
      .kernels = kernels.size(),
      .channels = channels(),
      .dw = dw + first_kernel * kernels_.taps * kernels_.taps * channels()};
  kernels_.filter_gradient(&result);
  if (spec_.exact_zeros)
    unreached_.clear(inputs + forward_.in.at(run * run_images),
                     dy + outputs.at(run * run_images) + first_kernel, run_images, kernels.size(),
                     result.dw, scratch);
}

// Adds a block's products to the sums, or begins them with it.
void MinimalGradient::add_products(const cpu::MinimalBlock& block, const cpu::MinimalImages& x,
                                   const cpu::MinimalImages& dy, const Range& kernels, bool add,
                                   float* sums, float* db, float* scratch) const {
  const MinimalPlan& plan = forward_.plan;
  const cpu::MinimalPlanes inputs = sums_.inputs.in(scratch);
  const cpu::MinimalPlanes gradients = sums_.gradients.in(scratch + sums_.inputs.floats);
  kernels_.input(&block, &inputs, &x, forward_.pad);
  kernels_.gradient(&block, &gradients, &dy);
  const std::int64_t planes = plan.planes();
  for (std::int64_t t = 0; t < planes; ++t) {
    const auto plane = static_cast<std::size_t>(t);
    const cpu::Product product{.rows = kernels.size(),
                               .columns = channels(),
                               .depth = plan.rows(t, block),
                               .a = gradients.data + sums_.gradients.offsets[plane],
                               .a_row = 1,
                               .a_step = gradients.row,
                               .b = inputs.data + sums_.inputs.offsets[plane],
                               .b_step = inputs.row,
                               .b_panel = 2 * team_.kernels.lanes,
                               .c = sums + t * sums_.sums_plane,
                               .c_row = sums_.sums_row,
                               .add = add,
                               .ahead = sums + (t + 1) % planes * sums_.sums_plane,
                               .ahead_row = cpu::kAheadFloats,
                               .ahead_rows = add ? sums_.sums_plane / cpu::kAheadFloats : 0};
    team_.kernels.product(&product);
  }
  const auto plain = static_cast<std::size_t>(plan.sum_plane());
  team_.kernels.column_sums(gradients.data + sums_.gradients.offsets[plain],
                            plan.rows(plan.sum_plane(), block), kernels.size(), gradients.row, db,
                            add);
}

}  // namespace convoy
