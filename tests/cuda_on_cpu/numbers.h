// Reads and writes device memory of either type as floats, within queued work: see README.md.
#pragma once

#include <cstdint>

#include "core/cuda/values.h"

namespace convoy::cuda_on_cpu {

struct Numbers {
  void* data;
  DType type;

  [[nodiscard]] float operator[](std::int64_t at) const {
    return type == DType::f32 ? static_cast<float*>(data)[at]
                              : to_float(static_cast<Bf16*>(data)[at]);
  }
  void set(std::int64_t at, double value) const {
    const auto rounded = static_cast<float>(value);
    if (type == DType::f32)
      static_cast<float*>(data)[at] = rounded;
    else
      static_cast<Bf16*>(data)[at] = from_float<Bf16>(rounded);
  }
};

}  // namespace convoy::cuda_on_cpu
