// What a network needs of a device's memory, by what it is for: known before any is taken.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device.h"

namespace convoy {

struct MemoryPlan {
  std::size_t activations = 0;  // bytes, as the others
  std::size_t gradients = 0;    // of activations
  std::size_t parameters = 0;   // values, working copies, gradients, momentum
  std::size_t workspace = 0;    // scratch memory that all operations share

  [[nodiscard]] std::size_t bytes() const {
    return activations + gradients + parameters + workspace;
  }
  // Images for which there would be room, if `images` need this; 0 where there is none for the
  // parameters alone.
  [[nodiscard]] std::int64_t images_that_fit(std::size_t free_bytes, std::int64_t images) const;
};

// Throws Error(resource) with all parts, and the batch that would fit, where the device has less
// memory left. `images`: of the batch on this rank.
void require_memory(const Device& device, const MemoryPlan& plan, std::int64_t images);

}  // namespace convoy
