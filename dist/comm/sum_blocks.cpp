// Adds blocks of fp32 or bf16 piece by piece in fp32.
#include "dist/comm/sum_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/ops/parallel_cpu.h"
#include "dist/comm/pairwise.h"

namespace convoy {
namespace {

float widen(float value) { return value; }
float widen(std::uint16_t bf16) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bf16) << 16);
}

void narrow(float value, float& to) { to = value; }
void narrow(float value, std::uint16_t& bf16) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  bf16 = static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
  if (std::isnan(value)) bf16 = 0x7FFF;
}

template <typename T>
void sum_typed(const T* blocks, std::size_t ranks, std::int64_t count, int threads, T* sum) {
  for_pieces(threads, count, kSumBlock, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t length = end - begin;
    const auto block = [&](std::size_t rank) {
      return blocks + static_cast<std::int64_t>(rank) * count + begin;
    };
    const auto set = [&](std::size_t rank, float* to) {
      const T* from = block(rank);
      for (std::int64_t i = 0; i < length; ++i) to[i] = widen(from[i]);
    };
    const auto add = [&](std::size_t rank, float* to) {
      const T* from = block(rank);
      for (std::int64_t i = 0; i < length; ++i) to[i] += widen(from[i]);
    };
    std::array<float, kSumBlock> wide;
    sum_pairwise(0, ranks, length, set, add, wide.data());
    for (std::int64_t i = 0; i < length; ++i)
      narrow(wide[static_cast<std::size_t>(i)], sum[begin + i]);
  });
}

}  // namespace

void sum_blocks(const void* blocks, std::size_t ranks, std::int64_t count, DType type, int threads,
                void* sum) {
  if (type == DType::bf16)
    sum_typed(static_cast<const std::uint16_t*>(blocks), ranks, count, threads,
              static_cast<std::uint16_t*>(sum));
  else
    sum_typed(static_cast<const float*>(blocks), ranks, count, threads, static_cast<float*>(sum));
}

}  // namespace convoy
