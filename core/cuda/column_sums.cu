// Sums over rows in two stages: runs of rows side by side, then the runs' sums.
#include <algorithm>

#include "core/cuda/column_sums.h"
#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/values.h"

namespace convoy {
namespace {

// Enough runs to fill a GPU, few enough that their sums stay in its cache.
std::int64_t run_count(std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t most_sums = 1 << 19;
  return std::max<std::int64_t>(
      1, std::min({rows / 16, std::int64_t{4096}, most_sums / std::max<std::int64_t>(1, columns)}));
}

// A thread adds the rows of one run in N neighbouring columns.
template <typename T, int N>
__global__ void sum_runs(const T* x, std::int64_t rows, std::int64_t columns, std::int64_t runs,
                         float* partial) {
  const std::int64_t packs = columns / N;
  const std::int64_t i = thread_index();
  if (i >= runs * packs) return;
  const std::int64_t run = i / packs;
  const std::int64_t column = i % packs * N;
  const std::int64_t length = (rows + runs - 1) / runs;
  const std::int64_t begin = run * length;
  const std::int64_t end = begin + length < rows ? begin + length : rows;
  float sum[N] = {};
#pragma unroll 8
  for (std::int64_t r = begin; r < end; ++r) {
    const Pack<T, N> values = load_pack<N>(x + r * columns + column);
#pragma unroll
    for (int k = 0; k < N; ++k) sum[k] += to_float(values.v[k]);
  }
#pragma unroll
  for (int k = 0; k < N; ++k) partial[run * columns + column + k] = sum[k];
}

constexpr int kColumns = 8;  // of a block: a sector of memory
constexpr int kLanes = 32;   // threads that share a column

__global__ void sum_partial(const float* partial, std::int64_t columns, std::int64_t runs,
                            float* sums) {
  __shared__ float lanes[kLanes][kColumns];
  const int mine = static_cast<int>(threadIdx.x) % kColumns;
  const int lane = static_cast<int>(threadIdx.x) / kColumns;
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.x) * kColumns + mine;
  float sum = 0.0f;
  if (column < columns) {
#pragma unroll 8
    for (std::int64_t r = lane; r < runs; r += kLanes) sum += partial[r * columns + column];
  }
  lanes[lane][mine] = sum;
  __syncthreads();
  for (int half = kLanes / 2; half > 0; half /= 2) {
    if (lane < half) lanes[lane][mine] += lanes[lane + half][mine];
    __syncthreads();
  }
  if (lane == 0 && column < columns) sums[column] = lanes[0][mine];
}

}  // namespace

std::size_t column_sums_bytes(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(run_count(rows, columns) * columns) * sizeof(float);
}

void column_sums(const Tensor& x, std::int64_t rows, std::int64_t columns, float* sums,
                 void* workspace, cudaStream_t stream) {
  const std::int64_t runs = run_count(rows, columns);
  auto* const partial = static_cast<float*>(workspace);
  with_packs(x.type, columns, {x.data}, [&]<typename T, int N>() {
    launch(sum_runs<T, N>, blocks_for(runs * (columns / N)), kThreads, stream, data_of<T>(x), rows,
           columns, runs, partial);
  });
  launch_with_barriers(sum_partial, blocks_for(columns, kColumns), kColumns * kLanes, stream,
                       partial, columns, runs, sums);
}

void column_sums(const Tensor& x, float* sums, void* workspace, cudaStream_t stream) {
  column_sums(x, x.shape.n * x.shape.h * x.shape.w, x.shape.c, sums, workspace, stream);
}

}  // namespace convoy
