// A thread per value of a filter: 105,000 or so, so that nothing is gained by more.
#include "core/cuda/launch.h"
#include "core/cuda/values.h"
#include "core/ops/blocked_filter_cuda.h"

namespace convoy {
namespace {

// A plain value's place among the blocked ones.
__device__ std::int64_t blocked_place(const BlockedFilterShape& s, std::int64_t at) {
  const std::int64_t tap = at / s.channels;
  const std::int64_t row = tap / s.kernel;
  return s.place(row / s.kernel, row % s.kernel, tap % s.kernel) + at % s.channels;
}

template <typename T>
__global__ void zero_blocks(BlockedFilterShape s, T* blocked) {
  const std::int64_t at = thread_index();
  if (at < s.blocked_count()) blocked[at] = from_float<T>(0);
}

template <typename T>
__global__ void fill_blocks(BlockedFilterShape s, const T* w, T* blocked) {
  const std::int64_t at = thread_index();
  if (at < s.plain_count()) blocked[blocked_place(s, at)] = w[at];
}

template <typename T>
__global__ void from_blocks(BlockedFilterShape s, const T* blocked, float* w) {
  const std::int64_t at = thread_index();
  if (at < s.plain_count()) w[at] = to_float(blocked[blocked_place(s, at)]);
}

}  // namespace

void to_blocks_cuda(const BlockedFilterShape& shape, DType type, const void* w, void* blocked,
                    cudaStream_t stream) {
  with_type(type, [&](auto t) {
    using T = decltype(t);
    auto* const to = static_cast<T*>(blocked);
    launch(zero_blocks<T>, blocks_for(shape.blocked_count()), dim3(kThreads), stream, shape, to);
    launch(fill_blocks<T>, blocks_for(shape.plain_count()), dim3(kThreads), stream, shape,
           static_cast<const T*>(w), to);
  });
}

void from_blocks_cuda(const BlockedFilterShape& shape, DType type, const void* blocked, float* w,
                      cudaStream_t stream) {
  with_type(type, [&](auto t) {
    using T = decltype(t);
    launch(from_blocks<T>, blocks_for(shape.plain_count()), dim3(kThreads), stream, shape,
           static_cast<const T*>(blocked), w);
  });
}

}  // namespace convoy
