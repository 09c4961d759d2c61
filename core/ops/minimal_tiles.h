// How minimal filtering cuts one pass of a convolution into tiles, planes, and blocks of work.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/cpu/kernels.h"

namespace convoy {

// So many images, and so many rows of their tiles, are worked on at a time.
struct BlockExtent {
  std::int64_t images = 1;
  std::int64_t tile_rows = 1;
};

// Tiles and planes of products: a plane has one row of values for each tile.
class MinimalPlan {
 public:
  static constexpr std::int64_t kMaxPlanes = 64;
  using Offsets = std::array<std::int64_t, kMaxPlanes>;

  // Tiles of `kernels`' size over outputs of h x w.
  MinimalPlan(const cpu::MinimalKernels& kernels, std::int64_t h, std::int64_t w)
      : side_(kernels.outputs + kernels.taps - 1),
        rows_(cut(h, kernels.outputs)),
        columns_(cut(w, kernels.outputs)) {}

  [[nodiscard]] std::int64_t planes() const { return side_ * side_; }
  // The plane that holds each tile's plain sum when outputs' gradients are transformed: both its
  // points are 1.
  [[nodiscard]] std::int64_t sum_plane() const { return side_ + 1; }
  [[nodiscard]] std::int64_t tile_rows() const { return rows_.count; }
  [[nodiscard]] std::int64_t tiles() const { return rows_.count * columns_.count; }

  // Rows of tiles [begin, end) of so many images.
  [[nodiscard]] cpu::MinimalBlock block(std::int64_t images, std::int64_t begin,
                                        std::int64_t end) const {
    return {images, rows_, columns_, begin, end};
  }
  // Rows of a plane. Those of the last finite point have rows for large tiles only.
  [[nodiscard]] std::int64_t rows(std::int64_t plane, const cpu::MinimalBlock& block) const {
    const std::int64_t end =
        plane / side_ == side_ - 2 ? std::min(rows_.large, block.end) : block.end;
    const std::int64_t across = plane % side_ == side_ - 2 ? columns_.large : columns_.count;
    return block.images * std::max<std::int64_t>(0, end - block.begin) * across;
  }
  // Of all planes of so many images.
  [[nodiscard]] std::int64_t all_rows(std::int64_t images) const {
    std::int64_t sum = 0;
    for (std::int64_t t = 0; t < planes(); ++t) sum += rows(t, block(images, 0, rows_.count));
    return sum;
  }
  // Fills in where the planes of any block of this extent begin; returns the floats they take.
  std::int64_t place(const BlockExtent& extent, std::int64_t channels, Offsets& offsets) const {
    const cpu::MinimalBlock largest = block(extent.images, 0, extent.tile_rows);
    std::int64_t at = 0;
    for (std::int64_t t = 0; t < planes(); ++t) {
      offsets[static_cast<std::size_t>(t)] = at;
      at += odd_lines(rows(t, largest) * row_floats(channels));
    }
    return at;
  }

  // How much to do at a time where the two kinds of planes have so many channels and the filters
  // (or sums) of all planes take so many floats. Planes should stay in a core's own cache: of an
  // image that is too large for that, some rows of tiles. But filters are read once per block, so
  // planes are not made smaller than they, and small images come together until they are half as
  // large.
  [[nodiscard]] BlockExtent extent(std::int64_t channels, std::int64_t other_channels,
                                   std::int64_t filter_floats, std::int64_t images) const {
    constexpr std::int64_t kCachedFloats = std::int64_t{1} << 18;  // 1 MB
    const std::int64_t image = all_rows(1) * (row_floats(channels) + row_floats(other_channels));
    const std::int64_t wanted = std::max(kCachedFloats, filter_floats / 2) / image;
    if (wanted > 1) return {share(images, wanted), rows_.count};
    const std::int64_t bands =
        std::max<std::int64_t>(1, image / std::max(kCachedFloats, filter_floats));
    return {1, (rows_.count + bands - 1) / bands};
  }

  // Rows and planes are an odd number of cache lines apart, so that the same place in many of them
  // does not fall into one set of the cache.
  static std::int64_t odd_lines(std::int64_t floats) {
    return ((floats + cpu::kLineFloats - 1) / cpu::kLineFloats | 1) * cpu::kLineFloats;
  }
  static std::int64_t row_floats(std::int64_t channels) { return odd_lines(channels); }

 private:
  // Even shares of about `wanted`.
  static std::int64_t share(std::int64_t all, std::int64_t wanted) {
    const std::int64_t shares = std::max<std::int64_t>(1, all / wanted);
    return (all + shares - 1) / shares;
  }
  static cpu::TileSide cut(std::int64_t extent, std::int64_t outputs) {
    const std::int64_t count = (extent + outputs - 1) / outputs;
    return {count, std::clamp<std::int64_t>(extent - count * (outputs - 1), 0, count)};
  }

  std::int64_t side_;
  cpu::TileSide rows_;
  cpu::TileSide columns_;
};

}  // namespace convoy
