// How minimal filtering cuts one pass of a convolution into tiles, blocks of images and planes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/cpu/kernels.h"

namespace convoy {

// Planes of products: one row of `channels` values for each tile.
class MinimalPlan {
 public:
  static constexpr std::int64_t kMaxPlanes = 64;

  // Tiles of `kernels`' size over outputs of h x w.
  MinimalPlan(const cpu::MinimalKernels& kernels, std::int64_t h, std::int64_t w)
      : side_(kernels.outputs + kernels.taps - 1),
        block_{0, cut(h, kernels.outputs), cut(w, kernels.outputs)} {}

  [[nodiscard]] std::int64_t planes() const { return side_ * side_; }
  // The plane that holds each tile's plain sum when outputs' gradients are transformed: both its
  // points are 1.
  [[nodiscard]] std::int64_t sum_plane() const { return side_ + 1; }
  // Rows of a plane for so many images.
  [[nodiscard]] std::int64_t rows(std::int64_t plane, std::int64_t images) const {
    const auto count = [&](const cpu::TileSide& tiles, std::int64_t point) {
      return point == side_ - 2 ? tiles.large : tiles.count;
    };
    return images * count(block_.rows, plane / side_) * count(block_.columns, plane % side_);
  }
  // Of all planes.
  [[nodiscard]] std::int64_t rows(std::int64_t images) const {
    std::int64_t sum = 0;
    for (std::int64_t t = 0; t < planes(); ++t) sum += rows(t, images);
    return sum;
  }
  [[nodiscard]] cpu::MinimalBlock block(std::int64_t images) const {
    return {images, block_.rows, block_.columns};
  }
  [[nodiscard]] std::int64_t floats_per_image(std::int64_t channels) const {
    return rows(1) * row_floats(channels);
  }
  // Fills in where the planes of `images` begin; returns the floats that they take.
  std::int64_t place(std::int64_t images, std::int64_t channels,
                     std::array<std::int64_t, kMaxPlanes>& offsets) const {
    std::int64_t at = 0;
    for (std::int64_t t = 0; t < planes(); ++t) {
      offsets[static_cast<std::size_t>(t)] = at;
      at += odd_lines(rows(t, images) * row_floats(channels));
    }
    return at;
  }

  // Rows and planes are an odd number of cache lines apart, so that the same place in many of them
  // does not fall into one set of the cache.
  static std::int64_t odd_lines(std::int64_t floats) {
    constexpr std::int64_t kLine = 16;
    return ((floats + kLine - 1) / kLine | 1) * kLine;
  }
  static std::int64_t row_floats(std::int64_t channels) { return odd_lines(channels); }

 private:
  static cpu::TileSide cut(std::int64_t extent, std::int64_t outputs) {
    const std::int64_t count = (extent + outputs - 1) / outputs;
    return {count, std::clamp<std::int64_t>(extent - count * (outputs - 1), 0, count)};
  }

  std::int64_t side_;
  cpu::MinimalBlock block_;
};

}  // namespace convoy
