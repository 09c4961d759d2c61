// Spreads a range of elements over the OpenMP team in pieces whose bounds do not depend on it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace convoy {

// Calls body(begin, end) for pieces of at most `piece` elements of [0, count).
template <typename Body>
void for_pieces(int threads, std::int64_t count, std::int64_t piece, const Body& body) {
  const std::int64_t pieces = (count + piece - 1) / piece;
#pragma omp parallel for schedule(static) num_threads(threads) if (pieces > 1)
  for (std::int64_t p = 0; p < pieces; ++p) body(p * piece, std::min(count, (p + 1) * piece));
}

// `count` up to the next multiple of `step`.
constexpr std::int64_t round_up(std::int64_t count, std::int64_t step) {
  return (count + step - 1) / step * step;
}

// Elements per piece of an element-wise pass: large beside a thread's start, small beside a cache.
inline constexpr std::int64_t kElementPiece = 16384;
// Columns of a matrix that are packed in one piece.
inline constexpr std::int64_t kPackedPiece = 512;

}  // namespace convoy
