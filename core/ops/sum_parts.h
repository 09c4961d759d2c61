// Which parts of a batch a gradient can be summed in: ConvSpec::sum_parts.
#pragma once

#include <bit>
#include <cstdint>

#include "core/error.h"

namespace convoy {

// Throws Error(usage) for parts in which so many images cannot be summed.
inline void check_sum_parts(std::int64_t parts, std::int64_t images) {
  if (parts < 1 || !std::has_single_bit(static_cast<std::uint64_t>(parts)) || images % parts != 0)
    fail(ExitCode::usage, "{} parts of a sum must be a power of two that divides {} images.", parts,
         images);
}

}  // namespace convoy
