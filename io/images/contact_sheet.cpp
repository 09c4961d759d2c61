// Lays images out in a grid and writes them as one PNG.
#include "io/images/contact_sheet.h"

#include <algorithm>
#include <cmath>

#include "io/images/write_png.h"

namespace convoy {

void place_in_grid(std::vector<SheetImage>& images) {
  const auto columns =
      static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(images.size()))));
  std::int64_t i = 0;
  for (SheetImage& image : images) {
    image.row = i / columns + 1;
    image.column = i % columns + 1;
    ++i;
  }
}

void write_contact_sheet(const std::filesystem::path& path, const std::vector<SheetImage>& images,
                         const std::vector<std::vector<std::uint8_t>>& pixels, std::int64_t size) {
  constexpr std::int64_t gap = 4;  // pixels around each image
  constexpr std::uint8_t white = 255;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  for (const SheetImage& image : images) {
    rows = std::max(rows, image.row);
    columns = std::max(columns, image.column);
  }
  const std::int64_t height = rows * (size + gap) + gap;
  const std::int64_t width = columns * (size + gap) + gap;
  std::vector<std::uint8_t> sheet(static_cast<std::size_t>(height * width * 3), white);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::int64_t top = gap + (images[i].row - 1) * (size + gap);
    const std::int64_t left = gap + (images[i].column - 1) * (size + gap);
    for (std::int64_t y = 0; y < size; ++y) {
      std::copy_n(pixels[i].begin() + y * size * 3, size * 3,
                  sheet.begin() + ((top + y) * width + left) * 3);
    }
  }
  write_png(path, sheet.data(), height, width);
}

}  // namespace convoy
