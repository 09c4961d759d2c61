// Packs of values in memory: how kernels read and write them, and how many values one may hold.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "core/cuda/values.h"

namespace convoy {

template <typename T>
[[nodiscard]] T* data_of(const Tensor& t) {
  return static_cast<T*>(t.data);
}

template <int N, typename T>
__device__ inline Pack<T, N> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}

template <int N, typename T>
__device__ inline void store_pack(T* to, const Pack<T, N>& values) {
  *reinterpret_cast<Pack<T, N>*>(to) = values;
}

// N values of memory in registers, as fp32.
template <int N, typename T>
__device__ inline void load_floats(const T* from, float* values) {
  const Pack<T, N> pack = load_pack<N>(from);
#pragma unroll
  for (int k = 0; k < N; ++k) values[k] = to_float(pack.v[k]);
}

template <int N, typename T>
__device__ inline void store_floats(T* to, const float* values) {
  Pack<T, N> pack;
#pragma unroll
  for (int k = 0; k < N; ++k) pack.v[k] = from_float<T>(values[k]);
  store_pack<N>(to, pack);
}

[[nodiscard]] inline bool aligned(std::initializer_list<const void*> pointers,
                                  std::uintptr_t bytes = 16) {
  for (const void* pointer : pointers)
    if (reinterpret_cast<std::uintptr_t>(pointer) % bytes != 0) return false;
  return true;
}

// Calls body<T, N>() with the element type and the widest pack that divides `extent` and that the
// pointers are aligned for, or one value.
template <typename Body>
void with_packs(DType type, std::int64_t extent, std::initializer_list<const void*> pointers,
                const Body& body) {
  with_type(type, [&](auto value) {
    using T = decltype(value);
    if (extent % kPack<T> == 0 && aligned(pointers))
      body.template operator()<T, kPack<T>>();
    else
      body.template operator()<T, 1>();
  });
}

}  // namespace convoy
