// Scales weights to colours and lays kernels out block by block.
#include "io/images/kernel_sheet.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace convoy {
namespace {

constexpr std::int64_t kPerRow = 16;
constexpr std::int64_t kLeastSide = 44;  // pixels of a kernel
constexpr std::int64_t kGap = 4;
constexpr std::int64_t kBlockGap = 16;
constexpr std::int64_t kMargin = 8;

float largest(std::span<const float> weights) {
  float most = 0;
  for (const float weight : weights) most = std::max(most, std::abs(weight));
  return most > 0 ? most : 1;
}

}  // namespace

Canvas draw_kernels(const KernelSheet& sheet) {
  const std::int64_t per_block = sheet.kernels / sheet.blocks;
  const std::int64_t block_rows = (per_block + kPerRow - 1) / kPerRow;
  const std::int64_t longest = std::max(sheet.rows, sheet.columns);
  const std::int64_t zoom = (kLeastSide + longest - 1) / longest;
  const std::int64_t pitch_x = sheet.columns * zoom + kGap;
  const std::int64_t pitch_y = sheet.rows * zoom + kGap;
  const std::int64_t block_height = block_rows * pitch_y - kGap + kBlockGap;
  Canvas canvas(2 * kMargin + std::min(per_block, kPerRow) * pitch_x - kGap,
                2 * kMargin + sheet.blocks * block_height - kBlockGap);

  const auto count = static_cast<std::size_t>(sheet.rows * sheet.columns * 3);
  std::vector<std::uint8_t> pixels(count);
  for (std::int64_t k = 0; k < sheet.kernels; ++k) {
    const auto weights = sheet.weights.subspan(static_cast<std::size_t>(k) * count, count);
    const float scale = 127 / largest(sheet.together ? sheet.weights : weights);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = sheet.bgr ? 2 - i % 3 : i % 3;
      pixels[i - i % 3 + c] = static_cast<std::uint8_t>(std::lround(128 + scale * weights[i]));
    }
    const std::int64_t in_block = k % per_block;
    canvas.image(kMargin + in_block % kPerRow * pitch_x,
                 kMargin + k / per_block * block_height + in_block / kPerRow * pitch_y,
                 pixels.data(), sheet.columns, sheet.rows, zoom);
  }
  return canvas;
}

}  // namespace convoy
