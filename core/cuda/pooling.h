// Max pooling of a few neighbouring channels, for the kernels that pool.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/ops/pool.h"

namespace convoy {

// [N, H, W, C] to [N, P, Q, C]; windows that reach past the edge are clipped.
struct PoolExtents {
  int h, w, c;
  int p, q;
  int kernel, stride;
  std::int64_t images;

  static PoolExtents of(const PoolSpec& s) {
    const auto narrow = [](std::int64_t v) { return static_cast<int>(v); };
    return {narrow(s.x.h),   narrow(s.x.w),    narrow(s.x.c),    narrow(s.y().h),
            narrow(s.y().w), narrow(s.kernel), narrow(s.stride), s.x.n};
  }
  // Kernels are specialised for the paper's windows.
  [[nodiscard]] bool usual() const { return kernel == 3 && stride == 2; }
};

template <int N>
using Places = Pack<std::uint8_t, N>;

// A thread pools one window: values.load<N>(pixel, channel, out) gives those of a pixel. Kernel and
// Stride are 0 or the numbers known to the compiler. The first maximum in row order is the place,
// and a NaN always replaces what was best, so that a diverged run shows.
template <typename T, int N, int Kernel, int Stride, typename Values>
__global__ void pool_forward(Values values, T* y, std::uint8_t* places, PoolExtents g) {
  const int kernel = Kernel > 0 ? Kernel : g.kernel;
  const int stride = Stride > 0 ? Stride : g.stride;
  const std::int64_t i = thread_index();
  const std::int64_t packs = g.c / N;
  if (i >= g.images * g.p * g.q * packs) return;
  const int c = static_cast<int>(i % packs) * N;
  const std::int64_t pixel = i / packs;
  const int left = static_cast<int>(pixel % g.q) * stride;
  const int top = static_cast<int>(pixel / g.q % g.p) * stride;
  const std::int64_t image = pixel / g.q / g.p;
  float best[N];
  int place[N] = {};
#pragma unroll
  for (int k = 0; k < N; ++k) best[k] = -INFINITY;
#pragma unroll
  for (int r = 0; r < kernel; ++r)
#pragma unroll
    for (int s = 0; s < kernel; ++s) {
      if (top + r >= g.h || left + s >= g.w) continue;
      float v[N];
      values.template load<N>((image * g.h + top + r) * g.w + left + s, c, v);
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const bool better = v[k] > best[k] || v[k] != v[k];
        best[k] = better ? v[k] : best[k];
        place[k] = better ? r * kernel + s : place[k];
      }
    }
  Places<N> bytes;
#pragma unroll
  for (int k = 0; k < N; ++k) bytes.v[k] = static_cast<std::uint8_t>(place[k]);
  store_floats<N>(y + pixel * g.c + c, best);
  store_pack<N>(places + pixel * g.c + c, bytes);
}

// The gradients of a pixel's channels [c, c + N): those of the windows whose maximum it is, in row
// order. Where y is masked, maxima that are not above 0 pass none.
template <int N, int Kernel, int Stride, bool Mask, typename T>
__device__ inline void pool_gradient(const T* y, const T* dy, const std::uint8_t* places,
                                     const PoolExtents& g, std::int64_t pixel, int c, float* sums) {
  const int kernel = Kernel > 0 ? Kernel : g.kernel;
  const int stride = Stride > 0 ? Stride : g.stride;
  const int column = static_cast<int>(pixel % g.w);
  const int row = static_cast<int>(pixel / g.w % g.h);
  const std::int64_t image = pixel / g.w / g.h;
  const int last_p = row / stride < g.p ? row / stride : g.p - 1;
  const int last_q = column / stride < g.q ? column / stride : g.q - 1;
  const int first_p = row < kernel ? 0 : (row - kernel) / stride + 1;
  const int first_q = column < kernel ? 0 : (column - kernel) / stride + 1;
#pragma unroll
  for (int k = 0; k < N; ++k) sums[k] = 0.0f;
  for (int p = first_p; p <= last_p; ++p)
    for (int q = first_q; q <= last_q; ++q) {
      const std::int64_t at = ((image * g.p + p) * g.q + q) * g.c + c;
      const int tap = (row - p * stride) * kernel + column - q * stride;
      const Places<N> place = load_pack<N>(places + at);
      float gradient[N];
      load_floats<N>(dy + at, gradient);
      if constexpr (Mask) {
        float value[N];
        load_floats<N>(y + at, value);
#pragma unroll
        for (int k = 0; k < N; ++k) gradient[k] = value[k] > 0.0f ? gradient[k] : 0.0f;
      }
#pragma unroll
      for (int k = 0; k < N; ++k) sums[k] += place.v[k] == tap ? gradient[k] : 0.0f;
    }
}

}  // namespace convoy
