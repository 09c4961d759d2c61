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
// Sets of channels and of kernels are bits in words, so that a pixel with a gradient strikes 64
// weights at a time off those that are not reached yet. Few pixels do that for nearly all, and then
// the rest is not looked at; nor is a kernel in an image that gives it no gradient.
class UnreachedWeights {
 public:
  // Of one group's convolution with stride 1 and taps x taps taps.
  UnreachedWeights(const Images& x, std::int64_t pad, const Images& y, std::int64_t taps)
      : x_(x), y_(y), pad_(pad), taps_(taps), words_(words_for(x.channels)) {}

  // Work memory for so many kernels, in floats.
  [[nodiscard]] std::int64_t floats(std::int64_t kernels) const {
    return 2 * ((pixels() + kernels * taps_ * taps_ + 2) * words_ +
                (y_.h * y_.w + 1) * words_for(kernels));
  }
  // Sets them to 0 in dw [kernels, taps, taps, channels], the gradient over these images: x lies as
  // the constructor says, dy as well and begins with the first of the kernels. `work` is aligned to
  // 8 bytes.
  void clear(const float* x, const float* dy, std::int64_t images, std::int64_t kernels, float* dw,
             float* work) const;

 private:
  // Which values of an image's pixels are not 0, and which are not at some pixel.
  struct Marks {
    std::uint64_t* pixels;  // [pixel][word]
    std::uint64_t* seen;    // [word]
    std::int64_t words;     // of a pixel's set
  };

  [[nodiscard]] static std::int64_t words_for(std::int64_t members) { return (members + 63) / 64; }
  // Of x, padded, that any tap reads.
  [[nodiscard]] std::int64_t row() const { return y_.w + taps_ - 1; }
  [[nodiscard]] std::int64_t pixels() const { return (y_.h + taps_ - 1) * row(); }

  static void mark(const float* values, std::int64_t count, std::int64_t pixel, const Marks& marks);
  void mark_inputs(const float* image, const Marks& marks) const;
  void mark_gradients(const float* image, std::int64_t kernels, const Marks& marks) const;
  void strike(const Marks& inputs, const Marks& gradients, std::int64_t kernel,
              std::uint64_t* filter) const;
  [[nodiscard]] bool any(const std::uint64_t* filter, const std::uint64_t* channels) const;

  Images x_;
  Images y_;
  std::int64_t pad_;
  std::int64_t taps_;
  std::int64_t words_;  // of a set of channels
};

}  // namespace convoy
