// The kernels of a first layer as a picture, as in figure 3 of Krizhevsky et al. 2012.
#pragma once

#include <cstdint>
#include <span>

#include "io/images/canvas.h"

namespace convoy {

struct KernelSheet {
  std::span<const float> weights;  // [K, R, S, 3]
  std::int64_t kernels = 0;        // K
  std::int64_t rows = 0;           // R
  std::int64_t columns = 0;        // S
  bool bgr = false;                // the last axis is B, G, R
  std::int64_t blocks = 1;         // towers: each has K / blocks kernels in a row
  bool together = false;           // one scale for all kernels; else each has its own
};

// Kernels of a block in rows of 16; mid-grey is 0, white and black the largest weight of the kernel
// or of all. Small kernels are enlarged.
[[nodiscard]] Canvas draw_kernels(const KernelSheet& sheet);

}  // namespace convoy
