// Counted random numbers: Philox 4x32-10, addressed by what is drawn, never by who draws it.
//
// The key is the run's seed; the counter says purpose, time, place and block. A draw therefore does
// not depend on rank count, strategy, device or thread count, and resuming needs no state.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/philox.h"

namespace convoy {

// What a number is drawn for. Values are part of every run's reproducibility: never renumber.
enum class Purpose : std::uint32_t {
  weights = 1,       // time 0, position 0, block = element / 4
  dropout = 2,       // time = step, position = image's place in the global batch
  crop = 3,          // time = epoch, position = sample
  colour = 4,        // time = epoch, position = sample
  sample_order = 5,  // time = epoch
  pack_order = 6,
  synthetic = 7,
};

using PhiloxBlock = std::array<std::uint32_t, 4>;

[[nodiscard]] constexpr PhiloxBlock philox4x32_10(PhiloxBlock counter, std::uint32_t key0,
                                                  std::uint32_t key1) {
  const PhiloxWords words = philox({counter[0], counter[1], counter[2], counter[3]}, key0, key1);
  return {words.v[0], words.v[1], words.v[2], words.v[3]};
}

// A family of numbers: one seed, one purpose, one layer (0 where no layer is meant).
class RandomSource {
 public:
  RandomSource(std::uint64_t seed, Purpose purpose, std::uint32_t layer = 0)
      : key0_(static_cast<std::uint32_t>(seed)),
        key1_(static_cast<std::uint32_t>(seed >> 32)),
        stream_((static_cast<std::uint32_t>(purpose) << 16) | layer) {}

  // Four independent 32-bit words.
  [[nodiscard]] constexpr PhiloxBlock block(std::uint32_t time, std::uint32_t position,
                                            std::uint32_t block) const {
    return philox4x32_10({stream_, time, position, block}, key0_, key1_);
  }

 private:
  std::uint32_t key0_;
  std::uint32_t key1_;
  std::uint32_t stream_;
};

// Uniform in (0, 1): the middle of one of 2^32 equal intervals, never 0 or 1.
[[nodiscard]] constexpr double uniform(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}

// An integer in [0, bound) by multiply-and-shift; the bias is below bound / 2^32.
[[nodiscard]] constexpr std::uint32_t below(std::uint32_t word, std::uint32_t bound) {
  return static_cast<std::uint32_t>((std::uint64_t{word} * bound) >> 32);
}

// Two standard normals from two words (Box-Muller in double).
[[nodiscard]] std::array<double, 2> normals(std::uint32_t word0, std::uint32_t word1);

// A permutation of 0 .. count-1 (Fisher-Yates over counted draws).
[[nodiscard]] std::vector<std::uint32_t> permutation(const RandomSource& source, std::uint32_t time,
                                                     std::uint32_t count);

}  // namespace convoy
