// Sums over the rows of a matrix on a GPU: the gradient of a bias.
#pragma once

#include <cstddef>
#include <cstdint>

#include <cuda_runtime.h>

#include "core/tensor.h"

namespace convoy {

// Bytes of workspace that column_sums() needs.
[[nodiscard]] std::size_t column_sums_bytes(std::int64_t rows, std::int64_t columns);

// sums fp32 [columns] = the sums over all rows of x [rows, columns], fp32 or bf16, whose columns
// are x.shape.c and whose rows all that lies around them. The order of the additions depends on the
// two extents alone. `workspace` is aligned to 16 bytes.
void column_sums(const Tensor& x, float* sums, void* workspace, cudaStream_t stream);

// The same of a matrix [rows, columns] at x.data, whatever x.shape says.
void column_sums(const Tensor& x, std::int64_t rows, std::int64_t columns, float* sums,
                 void* workspace, cudaStream_t stream);

}  // namespace convoy
