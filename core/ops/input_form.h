// How the network's input lies in memory: what the first layer's kernel asks for.
//
// A kernel of minimal filtering with a stride reads blocks of pixels as channels (ConvOp, conv.h);
// prepare_input.h writes them, so that the rearrangement costs no pass of its own.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace convoy {

// Plain: block = 1, pad = 0, and h, w, channels are those of the images. Otherwise a pixel (i, j)
// of the form holds the image's pixels (i block - pad + a, j block - pad + b), 0 <= a, b < block,
// those outside being zero, in the channels [a, b, channel].
struct InputForm {
  std::int64_t h = 0;
  std::int64_t w = 0;
  std::int64_t channels = 3;
  std::int64_t block = 1;
  std::int64_t pad = 0;

  static InputForm plain(const Shape& x) { return {x.h, x.w, x.c, 1, 0}; }
  [[nodiscard]] Shape shape(std::int64_t images) const {
    return {images, h, w, block * block * channels};
  }
  friend bool operator==(const InputForm&, const InputForm&) = default;
};

}  // namespace convoy
