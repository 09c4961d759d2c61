// Filters of a first layer in the form that meets pixels in blocks (input_form.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/ops/conv.h"

namespace convoy {

// [K, kernel, kernel, C] and [K, taps, taps, block x block x C]; taps beyond the kernel are zero.
struct BlockedFilterShape {
  std::int64_t kernels;
  std::int64_t kernel;
  std::int64_t block;
  std::int64_t channels;
  std::int64_t taps;

  static BlockedFilterShape of(const ConvSpec& spec) {
    return {spec.kernels, spec.kernel, spec.stride, spec.x.c, minimal_taps(spec)};
  }

  [[nodiscard]] constexpr std::int64_t plain_count() const {
    return kernels * kernel * kernel * channels;
  }
  [[nodiscard]] constexpr std::int64_t blocked_count() const {
    return kernels * taps * taps * block * block * channels;
  }
  // Where the first channel of the tap (i, j) of kernel k lies among the blocked filters.
  [[nodiscard]] constexpr std::int64_t place(std::int64_t k, std::int64_t i, std::int64_t j) const {
    const std::int64_t tap = (k * taps + i / block) * taps + j / block;
    return ((tap * block + i % block) * block + j % block) * channels;
  }
};

class BlockedFilter {
 public:
  explicit BlockedFilter(const ConvSpec& spec) : shape_(BlockedFilterShape::of(spec)) {}

  void to_blocks(const float* w, float* blocked) const {
    std::fill_n(blocked, shape_.blocked_count(), 0.0f);
    for_places([&](std::int64_t plain, std::int64_t place) {
      std::copy_n(w + plain, shape_.channels, blocked + place);
    });
  }
  void from_blocks(const float* blocked, float* w) const {
    for_places([&](std::int64_t plain, std::int64_t place) {
      std::copy_n(blocked + place, shape_.channels, w + plain);
    });
  }

 private:
  // Calls body(place in the plain filters, place in the blocked ones) for each tap of each kernel.
  template <typename Body>
  void for_places(const Body& body) const {
    for (std::int64_t k = 0; k < shape_.kernels; ++k)
      for (std::int64_t i = 0; i < shape_.kernel; ++i)
        for (std::int64_t j = 0; j < shape_.kernel; ++j)
          body(((k * shape_.kernel + i) * shape_.kernel + j) * shape_.channels,
               shape_.place(k, i, j));
  }

  BlockedFilterShape shape_;
};

}  // namespace convoy
