// The sum of a reduce-scatter's blocks on the host.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor.h"

namespace convoy {

// sum [count] = over the `ranks` blocks [count] that lie one behind the other: added in fp32,
// pairwise in the order of ranks, and rounded to `type` (f32 or bf16) once, to nearest even.
void sum_blocks(const void* blocks, std::size_t ranks, std::int64_t count, DType type, int threads,
                void* sum);

}  // namespace convoy
