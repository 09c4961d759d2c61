// Turns CUDA's error codes into Convoy's errors.
#pragma once

#include <cuda_runtime.h>

namespace convoy {

// Throws Error(rank_failed) saying what was being done and what CUDA says of it. Errors of kernels
// come out of the first call after them that waits.
void check_cuda(cudaError_t code, const char* doing);

}  // namespace convoy
