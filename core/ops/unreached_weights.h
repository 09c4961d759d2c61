// Weights that no product reaches: wherever an input of theirs is not 0, the output's gradient is.
// The gradient of such a weight is exactly 0.
#pragma once

#include <cstdint>

#include "core/ops/minimal_passes.h"

namespace convoy {

// Minimal filtering makes such a 0 as a difference of sums, and leaves their rounding; this puts
// the 0 back. ReLU and pooling make zeros enough for it to matter, and Adam, which divides a
// gradient by its size, takes a full step of the rounding.
//
// Sets of channels are bits in words, so that a pixel with a gradient strikes 64 weights at a time
// off those that are not reached yet. Few pixels do that for nearly all, and then the rest is not
// looked at.
class UnreachedWeights {
 public:
  // Of one group's convolution with stride 1 and taps x taps taps.
  UnreachedWeights(const Images& x, std::int64_t pad, const Images& y, std::int64_t taps)
      : x_(x), y_(y), pad_(pad), taps_(taps), words_((x.channels + 63) / 64) {}

  // Work memory for so many kernels, in floats.
  [[nodiscard]] std::int64_t floats(std::int64_t kernels) const {
    return 2 * (pixels() + kernels * taps_ * taps_ + 2) * words_;
  }
  // Sets them to 0 in dw [kernels, taps, taps, channels], the gradient over these images: x lies as
  // the constructor says, dy as well and begins with the first of the kernels. `work` is aligned to
  // 8 bytes.
  void clear(const float* x, const float* dy, std::int64_t images, std::int64_t kernels, float* dw,
             float* work) const;

 private:
  // Of x, padded, that any tap reads.
  [[nodiscard]] std::int64_t row() const { return y_.w + taps_ - 1; }
  [[nodiscard]] std::int64_t pixels() const { return (y_.h + taps_ - 1) * row(); }

  void mark_inputs(const float* image, std::uint64_t* inputs, std::uint64_t* seen) const;
  void strike(const float* gradient, const std::uint64_t* inputs, const std::uint64_t* seen,
              std::uint64_t* filter) const;
  [[nodiscard]] bool any(const std::uint64_t* filter, const std::uint64_t* channels) const;

  Images x_;
  Images y_;
  std::int64_t pad_;
  std::int64_t taps_;
  std::int64_t words_;  // of a set of channels
};

}  // namespace convoy
