// What the passes of a convolution by minimal filtering do at a time, and where it lies in work
// memory.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/ops/conv.h"
#include "core/ops/minimal_tiles.h"

namespace convoy {

// Planes of products in work memory.
struct Planes {
  MinimalPlan::Offsets offsets{};
  std::int64_t row = 0;     // floats between rows
  std::int64_t floats = 0;  // of all of them

  Planes() = default;
  Planes(const MinimalPlan& plan, const BlockExtent& extent, std::int64_t channels)
      : row(MinimalPlan::row_floats(channels)), floats(plan.place(extent, channels, offsets)) {}
  [[nodiscard]] cpu::MinimalPlanes in(float* memory) const { return {memory, offsets.data(), row}; }
};

// Images in memory, [n, h, w, channels] with `pixel` floats from one pixel to the next.
struct Images {
  std::int64_t h, w, channels, pixel;

  [[nodiscard]] std::int64_t at(std::int64_t n) const { return n * h * w * pixel; }
};

// As the kernels see them; `zeros` is a pixel of zeros. They only read what they take as images of
// inputs.
inline cpu::MinimalImages view(const Images& images, const float* data, const float* zeros) {
  return {const_cast<float*>(data), images.h, images.w, images.pixel, images.channels, zeros};
}

// One group's convolution with stride 1, whose taps are `kernels.taps`, applied to all images.
struct Application {
  const cpu::MinimalKernels* kernels;
  MinimalPlan plan;
  Images in, out;
  std::int64_t pad;
  std::int64_t points_plane;  // floats of a plane of the transformed filters
  BlockExtent extent;
  Planes inputs, products;

  Application(const cpu::MinimalKernels& k, std::int64_t lanes, std::int64_t images,
              const Images& from, std::int64_t padding, const Images& to)
      : kernels(&k), plan(k, to.h, to.w), in(from), out(to), pad(padding) {
    const std::int64_t panel = 2 * lanes;
    const std::int64_t panels = (out.channels + panel - 1) / panel;
    points_plane = MinimalPlan::odd_lines(panels * panel * in.channels);
    extent = plan.extent(in.channels, out.channels, points(), images);
    inputs = Planes(plan, extent, in.channels);
    products = Planes(plan, extent, out.channels);
  }

  [[nodiscard]] std::int64_t points() const { return plan.planes() * points_plane; }
  [[nodiscard]] std::int64_t thread_floats() const { return inputs.floats + products.floats; }
};

// Runs of images over which a gradient of weights is summed: ConvSpec::sum_parts, cut further in
// halves where a sum would be long. Rounding errors of fp32 sums grow with their length, and those
// of minimal filtering are larger to begin with; see the table in MINIMAL_FILTERING.md.
inline std::int64_t runs_of_images(const ConvSpec& spec, std::int64_t tiles_of_image) {
  constexpr std::int64_t kLongSum = 512;
  std::int64_t runs = spec.sum_parts;
  while (spec.x.n % (2 * runs) == 0 && spec.x.n / runs * tiles_of_image > kLongSum) runs *= 2;
  return runs;
}

// The gradient of the weights, sums over a run of images: one plane [kernels, channels] for each
// product of a tile. Kernels come in slices, so that there is work for every thread.
struct WeightGradient {
  std::int64_t slices = 1;
  std::int64_t slice = 0;  // kernels in a slice
  std::int64_t sums_row = 0;
  std::int64_t sums_plane = 0;
  BlockExtent extent;
  Planes inputs, gradients;

  WeightGradient(const MinimalPlan& plan, std::int64_t lanes, std::int64_t run_images,
                 std::int64_t channels, std::int64_t kernels, std::int64_t runs_and_groups,
                 std::int64_t threads) {
    const std::int64_t most = (kernels + lanes - 1) / lanes;
    slices = std::clamp<std::int64_t>((threads + runs_and_groups - 1) / runs_and_groups, 1, most);
    slice = (most + slices - 1) / slices * lanes;
    slices = (kernels + slice - 1) / slice;
    slice = std::min(slice, kernels);
    sums_row = MinimalPlan::row_floats(channels);
    sums_plane = MinimalPlan::odd_lines(slice * sums_row);
    extent = plan.extent(channels, slice, plan.planes() * sums_plane, run_images);
    inputs = Planes(plan, extent, channels);
    gradients = Planes(plan, extent, slice);
  }
  [[nodiscard]] std::int64_t thread_floats(std::int64_t planes) const {
    return inputs.floats + gradients.floats + planes * sums_plane;
  }
};

}  // namespace convoy
