// Values as kernels see them: fp32 or bf16 in memory, fp32 in registers, 16 bytes at a time.
#pragma once

#include <cstdint>

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "core/tensor.h"

namespace convoy {

using Bf16 = __nv_bfloat16;

__host__ __device__ inline float to_float(float v) { return v; }
__host__ __device__ inline float to_float(Bf16 v) { return __bfloat162float(v); }

// Rounds to nearest, ties to even; a NaN stays a NaN.
template <typename T>
__host__ __device__ inline T from_float(float v);
template <>
__host__ __device__ inline float from_float<float>(float v) {
  return v;
}
template <>
__host__ __device__ inline Bf16 from_float<Bf16>(float v) {
  return __float2bfloat16(v);
}

// N values that move together; N sizeof(T) is at most 16 bytes and the memory aligned to it.
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack {
  T v[N];
};

// The widest pack of T: 16 bytes.
template <typename T>
inline constexpr int kPack = 16 / static_cast<int>(sizeof(T));

// Throws Error(usage): the GPU's kernels know activations of fp32 and bf16 only. Not here, as nvcc
// does not compile the headers of our errors.
[[noreturn]] void refuse_type();

// Calls body(T{}) with the element type of a tensor of activations.
template <typename Body>
void with_type(DType type, const Body& body) {
  if (type == DType::f32) return body(float{});
  if (type == DType::bf16) return body(Bf16{});
  refuse_type();
}

}  // namespace convoy
