// Response normalisation of a few neighbouring channels in registers, for the kernels that do it.
//
// Sums and products that the compiler could round differently from kernel to kernel are written as
// fmaf(): normalisation alone and with pooling must have the same bits.
#pragma once

#include <cstdint>

#include "core/cuda/launch.h"
#include "core/cuda/packs.h"

namespace convoy {

struct NormParameters {
  float alpha;
  float beta;
  float k;
  int half;   // the window reaches so far to both sides
  int group;  // channels that it stays inside
};

// The paper's window and exponent, which kernels are specialised for. Others have Half = 0.
inline constexpr int kUsualHalf = 2;
[[nodiscard]] inline bool is_usual(const NormParameters& p) {
  return p.half == kUsualHalf && p.beta == 0.75f;
}

// d^-beta and 1 / d.
struct NormPowers {
  float scale;
  float inverse;
};

template <bool Usual>
__device__ inline NormPowers norm_powers(float d, float beta) {
  if (Usual || beta == 0.75f) {
    const float root = rsqrtf(d);
    const float inverse = root * root;
    return {inverse * rsqrtf(root), inverse};
  }
  return {powf(d, -beta), 1.0f / d};
}

// window[0 .. N + 2 Reach) = row[c - Reach ...], zeros outside the group. Reach divides N, or N
// = 1.
template <int N, int Reach, typename T>
__device__ inline void load_window(const T* row, int c, int group, float* window) {
  if constexpr (N == 1) {
#pragma unroll
    for (int k = 0; k <= 2 * Reach; ++k) {
      const int at = c - Reach + k;
      window[k] = at >= 0 && at < group ? to_float(row[at]) : 0.0f;
    }
  } else {
    constexpr int step = N < kPack<T> ? N : kPack<T>;
#pragma unroll
    for (int k = 0; k < Reach; ++k) window[k] = window[Reach + N + k] = 0.0f;
    if (c > 0) load_floats<Reach>(row + c - Reach, window);
#pragma unroll
    for (int k = 0; k < N; k += step) load_floats<step>(row + c + k, window + Reach + k);
    if (c + N < group) load_floats<Reach>(row + c + N, window + Reach + N);
  }
}

// The denominators of channels [c, c + N) of a row of one group, and their values x.
template <int N, int Half, typename T>
__device__ inline void norm_denominators(const T* row, int c, const NormParameters& p, float* x,
                                         float* d) {
  if constexpr (Half > 0) {
    float window[N + 2 * Half];
    load_window<N, Half>(row, c, p.group, window);
#pragma unroll
    for (int k = 0; k < N; ++k) {
      float sum = 0.0f;
#pragma unroll
      for (int o = 0; o <= 2 * Half; ++o) sum = fmaf(window[k + o], window[k + o], sum);
      x[k] = window[k + Half];
      d[k] = fmaf(p.alpha, sum, p.k);
    }
  } else {
    for (int k = 0; k < N; ++k) {
      const int at = c + k;
      const int begin = at > p.half ? at - p.half : 0;
      const int end = at + p.half < p.group ? at + p.half + 1 : p.group;
      float sum = 0.0f;
      for (int i = begin; i < end; ++i) {
        const float v = to_float(row[i]);
        sum = fmaf(v, v, sum);
      }
      x[k] = to_float(row[at]);
      d[k] = fmaf(p.alpha, sum, p.k);
    }
  }
}

// y of the channels [c, c + N) of all at `pixel`.
template <int N, int Half, typename T>
__device__ inline void normalise(const T* pixel, int c, const NormParameters& p, float* y) {
  const int in_group = c % p.group;
  float d[N];
  norm_denominators<N, Half>(pixel + (c - in_group), in_group, p, y, d);
#pragma unroll
  for (int k = 0; k < N; ++k) y[k] *= norm_powers<(Half > 0)>(d[k], p.beta).scale;
}

// A block's share of a backward pass: whole groups, so many that their values fill this.
inline constexpr int kNormBlock = 4096;

[[nodiscard]] inline std::int64_t norm_groups_of_block(const NormParameters& p) {
  return kNormBlock / p.group;
}

// dx [groups, group] from x and from gradient.load<N>(group, channel, values), which gives dy. All
// of a block's dy is read before any of its dx is written, so both may be the same memory.
template <typename T, int N, int Half, bool Mask, typename Gradient>
__global__ void norm_backward(const T* x, Gradient gradient, T* dx, std::int64_t groups,
                              NormParameters p) {
  alignas(16) __shared__ float ratios[kNormBlock];  // dy y / d
  alignas(16) __shared__ float scaled[kNormBlock];  // dy d^-beta
  const std::int64_t most = kNormBlock / p.group;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * most;
  const int values = static_cast<int>(groups - first < most ? groups - first : most) * p.group;
  const T* const from = x + first * p.group;
  const int step = static_cast<int>(blockDim.x) * N;
  for (int i = static_cast<int>(threadIdx.x) * N; i < values; i += step) {
    const int c = i % p.group;
    float v[N];
    float d[N];
    float dy[N];
    norm_denominators<N, Half>(from + (i - c), c, p, v, d);
    gradient.template load<N>(first + i / p.group, c, dy);
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const NormPowers s = norm_powers<(Half > 0)>(d[k], p.beta);
      d[k] = dy[k] * v[k] * (s.scale * s.inverse);
      dy[k] *= s.scale;
    }
    constexpr int quad = N < 4 ? N : 4;
#pragma unroll
    for (int k = 0; k < N; k += quad) {
      store_floats<quad>(ratios + i + k, d + k);
      store_floats<quad>(scaled + i + k, dy + k);
    }
  }
  __syncthreads();
  const float factor = -2.0f * p.alpha * p.beta;
  for (int i = static_cast<int>(threadIdx.x) * N; i < values; i += step) {
    const int c = i % p.group;
    float v[N];
    load_floats<N>(from + i, v);
    float sums[N] = {};
    if constexpr (Half > 0) {
      float window[N + 2 * Half];
      load_window<N, Half>(ratios + (i - c), c, p.group, window);
#pragma unroll
      for (int k = 0; k < N; ++k)
#pragma unroll
        for (int o = 0; o <= 2 * Half; ++o) sums[k] += window[k + o];
    } else {
      for (int k = 0; k < N; ++k) {
        const int begin = c + k > p.half ? c + k - p.half : 0;
        const int end = c + k + p.half < p.group ? c + k + p.half + 1 : p.group;
        for (int j = begin; j < end; ++j) sums[k] += ratios[i - c + j];
      }
    }
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const float value = fmaf(factor * v[k], sums[k], scaled[i + k]);
      v[k] = !Mask || v[k] > 0.0f ? value : 0.0f;
    }
    store_floats<N>(dx + first * p.group + i, v);
  }
}

// Calls body<T, N, Half>() with the widest pack that divides a group.
template <typename Body>
void with_norm(DType type, const NormParameters& p, std::initializer_list<const void*> pointers,
               const Body& body) {
  with_packs(type, p.group, pointers, [&]<typename T, int N>() {
    if (is_usual(p))
      body.template operator()<T, N, kUsualHalf>();
    else
      body.template operator()<T, N, 0>();
  });
}

}  // namespace convoy
