// Filters of a first layer between their plain and their blocked form, on a GPU.
#pragma once

#include <cuda_runtime.h>

#include "core/ops/blocked_filter.h"

namespace convoy {

// Both of type `type`; taps beyond the kernel become zero.
void to_blocks_cuda(const BlockedFilterShape& shape, DType type, const void* w, void* blocked,
                    cudaStream_t stream);
// To fp32; what lies beyond the kernel is dropped. With block = 1 it converts alone.
void from_blocks_cuda(const BlockedFilterShape& shape, DType type, const void* blocked, float* w,
                      cudaStream_t stream);

}  // namespace convoy
