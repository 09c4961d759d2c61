// ImageNet's usual channel statistics for values in 0..1, as torchvision publishes them: what
// data.unit-scale subtracts and divides by.
#pragma once

#include <array>

namespace convoy {

inline constexpr std::array<float, 3> kUnitMean{0.485f, 0.456f, 0.406f};
inline constexpr std::array<float, 3> kUnitDeviation{0.229f, 0.224f, 0.225f};

}  // namespace convoy
