// Adds gradients of parts of the batch pairwise, in the order that ConvSpec::sum_parts says.
#pragma once

#include <cstdint>

#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"
#include "core/ops/sum_parts.h"

namespace convoy {

// parts [count][floats]: the first becomes the sum, the others are overwritten. `count` is a power
// of two: (0 + 1) + (2 + 3) and so on, as replicas that hold a half or a quarter of the batch add.
inline void sum_parts(CpuTeam team, float* parts, std::int64_t count, std::int64_t floats) {
  for (std::int64_t step = 1; step < count; step *= 2)
    for (std::int64_t to = 0; to + step < count; to += 2 * step)
      for_pieces(team.threads, floats, kElementPiece, [&](std::int64_t begin, std::int64_t end) {
        team.kernels.add(parts + (to + step) * floats + begin, parts + to * floats + begin,
                         end - begin);
      });
}

// Makes the sums of parts [first, first + count) one by one and adds them in the same order.
// `leaf(part, to, add)` puts a part's sum into `to` or adds it there; `merge(from, to)` adds two
// sums; `scratch` has room for log2(count) - 1 of them, `size` floats each.
template <typename Leaf, typename Merge>
void sum_pairwise(std::int64_t first, std::int64_t count, float* to, float* scratch,
                  std::int64_t size, const Leaf& leaf, const Merge& merge) {
  if (count <= 2) {
    leaf(first, to, false);
    if (count == 2) leaf(first + 1, to, true);
    return;
  }
  sum_pairwise(first, count / 2, to, scratch, size, leaf, merge);
  sum_pairwise(first + count / 2, count / 2, scratch, scratch + size, size, leaf, merge);
  merge(scratch, to);
}

}  // namespace convoy
