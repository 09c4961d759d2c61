// Starts kernels. One place, so that the tests can run the same kernels on the CPU: there
// `launch_kernel` comes from tests/cuda_on_cpu.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <cuda_runtime.h>

#include "core/cuda/check.h"

#if !defined(__CUDACC__)
#include "tests/cuda_on_cpu/launch_kernel.h"
#endif

namespace convoy {

#if defined(__CUDACC__)
template <typename... Parameters>
void launch_kernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
                   bool /*barriers*/, const Parameters&... arguments) {
  kernel<<<grid, block, 0, stream>>>(arguments...);
}
#endif

// A kernel whose threads never wait for each other.
template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
            const Arguments&... arguments) {
  launch_kernel(kernel, grid, block, stream, false, static_cast<Parameters>(arguments)...);
  check_cuda(cudaGetLastError(), "starting a kernel");
}

// A kernel with __syncthreads(). All threads of a block must reach each of them.
template <typename... Parameters, typename... Arguments>
void launch_with_barriers(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
                          const Arguments&... arguments) {
  launch_kernel(kernel, grid, block, stream, true, static_cast<Parameters>(arguments)...);
  check_cuda(cudaGetLastError(), "starting a kernel");
}

inline constexpr int kThreads = 256;  // of a block, where nothing asks for another number

// Blocks of kThreads for `items` pieces of work, one a thread.
inline dim3 blocks_for(std::int64_t items, int threads = kThreads) {
  return dim3(static_cast<unsigned>(std::max<std::int64_t>(1, (items + threads - 1) / threads)));
}

// The place of a thread among all of a one-dimensional grid.
__device__ inline std::int64_t thread_index() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace convoy
