// The loops over pixels that packing spends its time in, compiled once per instruction set.
//
// pixel_kernels_body.inc is the one source, as in core/cpu/kernels.h, whose rules hold here too:
// plain structs only, nothing allocated. All arithmetic is in integers, so every instruction set
// gives the same bytes.
#pragma once

#include <stdint.h>

#include "core/cpu/kernels.h"

namespace convoy::pixels {

constexpr int kWeightBits = 14;  // weights of a window sum to 1 << kWeightBits
// Fraction bits of the values between the two passes: they take 15 bits in all.
constexpr int kBetweenBits = 7;
constexpr int64_t kMostLines = 16;

// An output sample along one direction: the sum of weights[k] * input[first + k] over the taps.
struct Window {
  int64_t first, taps;
  const int16_t* weights;
};

// pixels [.., columns, 3], rows `stride` bytes apart, to out [size, size, 3].
struct Resampling {
  const uint8_t* pixels;
  int64_t stride, columns;
  const Window* down;    // [size] over the rows
  const Window* across;  // [size] over the columns
  int64_t size;
  uint8_t* out;
  uint16_t* between;  // room for kMostLines of 3 x columns values
  uint8_t* turned;    // room for kMostLines of 3 x size values
};

struct PixelKernels {
  void (*resample)(const Resampling*);
  // pixels [count, 3], count <= 65,536: adds each value to its place of sums [count, 3], and to
  // products the sums over all pixels of RR, GG, BB, RG, RB, GB.
  void (*add_statistics)(const uint8_t* pixels, int64_t count, uint32_t* sums, uint64_t* products);
};

// The kernels compiled for `isa`, which the processor must run.
const PixelKernels& kernels_for(cpu::Isa isa);

}  // namespace convoy::pixels
