// Adds gradients of parts of the batch pairwise, in the order that ConvSpec::sum_parts says.
#pragma once

#include <cstdint>

#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

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

}  // namespace convoy
