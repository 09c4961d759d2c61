// Filters of a first layer in the form that meets pixels in blocks (input_form.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/ops/conv.h"

namespace convoy {

// [K, kernel, kernel, C] and [K, taps, taps, stride x stride x C]; taps beyond the kernel are zero.
class BlockedFilter {
 public:
  explicit BlockedFilter(const ConvSpec& spec)
      : kernels_(spec.kernels),
        kernel_(spec.kernel),
        block_(spec.stride),
        channels_(spec.x.c),
        taps_(minimal_taps(spec)) {}

  void to_blocks(const float* w, float* blocked) const {
    std::fill_n(blocked, kernels_ * blocked_size(), 0.0f);
    for_places([&](std::int64_t plain, std::int64_t place) {
      std::copy_n(w + plain, channels_, blocked + place);
    });
  }
  void from_blocks(const float* blocked, float* w) const {
    for_places([&](std::int64_t plain, std::int64_t place) {
      std::copy_n(blocked + place, channels_, w + plain);
    });
  }

 private:
  [[nodiscard]] std::int64_t blocked_size() const {
    return taps_ * taps_ * block_ * block_ * channels_;
  }

  // Calls body(place in the plain filters, place in the blocked ones) for each tap of each kernel.
  template <typename Body>
  void for_places(const Body& body) const {
    for (std::int64_t k = 0; k < kernels_; ++k)
      for (std::int64_t i = 0; i < kernel_; ++i)
        for (std::int64_t j = 0; j < kernel_; ++j) {
          const std::int64_t tap = i / block_ * taps_ + j / block_;
          const std::int64_t pixel = i % block_ * block_ + j % block_;
          body(((k * kernel_ + i) * kernel_ + j) * channels_,
               k * blocked_size() + (tap * block_ * block_ + pixel) * channels_);
        }
  }

  std::int64_t kernels_;
  std::int64_t kernel_;
  std::int64_t block_;
  std::int64_t channels_;
  std::int64_t taps_;
};

}  // namespace convoy
