// Kernels on the CPU: see README.md.
#pragma once

#include <functional>
#include <tuple>

#include <cuda_runtime.h>

namespace convoy::cuda_on_cpu {

// Queues `work` as the stream's next piece. It may touch device memory only when it runs.
void enqueue(cudaStream_t stream, std::function<void()> work);

// Runs `thread` as each thread of each block. With barriers the threads of a block run side by
// side, as all do under the thread sanitizer; else one after the other.
void run_grid(dim3 grid, dim3 block, bool barriers, const std::function<void()>& thread);

}  // namespace convoy::cuda_on_cpu

namespace convoy {

template <typename... Parameters>
void launch_kernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
                   bool barriers, const Parameters&... arguments) {
  cuda_on_cpu::enqueue(stream, [=, held = std::tuple<Parameters...>(arguments...)] {
    cuda_on_cpu::run_grid(grid, block, barriers, [&] { std::apply(kernel, held); });
  });
}

}  // namespace convoy
