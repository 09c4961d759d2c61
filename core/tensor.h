// Shapes and tensor views: activations are [N, H, W, C], filters [K, R, S, C], on every device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace convoy {

enum class DType : std::uint8_t { f32, bf16, u8, i32 };

[[nodiscard]] constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::u8:
      return 1;
  }
  return 0;
}

// Four extents, innermost last. For an activation: images, height, width, channels. For the filters
// of a convolution: kernels K, height R, width S, channels each kernel reads. A fully connected
// layer's weights are [out, H, W, C] of its input, a bias is [K, 1, 1, 1].
struct Shape {
  std::int64_t n = 1;
  std::int64_t h = 1;
  std::int64_t w = 1;
  std::int64_t c = 1;

  [[nodiscard]] constexpr std::int64_t per_row() const { return h * w * c; }  // one image or kernel
  [[nodiscard]] constexpr std::int64_t count() const { return n * per_row(); }
  friend constexpr bool operator==(const Shape&, const Shape&) = default;
};

// The half-open range [begin, end) of images, channels or kernels.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  [[nodiscard]] constexpr std::int64_t size() const { return end - begin; }
  friend constexpr bool operator==(const Range&, const Range&) = default;
};

// A view of device memory; owns nothing. The memory belongs to the network's plan (a Buffer).
struct Tensor {
  void* data = nullptr;
  Shape shape;
  DType type = DType::f32;

  [[nodiscard]] float* f32() const { return static_cast<float*>(data); }
  [[nodiscard]] std::uint8_t* u8() const { return static_cast<std::uint8_t*>(data); }
  [[nodiscard]] std::int32_t* i32() const { return static_cast<std::int32_t*>(data); }
  [[nodiscard]] std::int64_t count() const { return shape.count(); }
  // A view of some of its memory, from element `first` on.
  [[nodiscard]] Tensor part(std::int64_t first, const Shape& part_shape) const {
    return {static_cast<std::byte*>(data) + first * static_cast<std::int64_t>(size_of(type)),
            part_shape, type};
  }
  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(count()) * size_of(type);
  }
};

}  // namespace convoy
