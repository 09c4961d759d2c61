// Lays images out in a grid and writes them as one PNG.
#include "io/images/contact_sheet.h"

#include <algorithm>

#include "io/images/canvas.h"
#include "io/images/captioned_sheet.h"

namespace convoy {

void place_in_grid(std::vector<SheetImage>& images) {
  const std::int64_t columns = sheet_columns(images.size());
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
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  for (const SheetImage& image : images) {
    rows = std::max(rows, image.row);
    columns = std::max(columns, image.column);
  }
  Canvas sheet(columns * (size + gap) + gap, rows * (size + gap) + gap);
  for (std::size_t i = 0; i < images.size(); ++i) {
    sheet.image(gap + (images[i].column - 1) * (size + gap),
                gap + (images[i].row - 1) * (size + gap), pixels[i].data(), size, size);
  }
  sheet.save(path);
}

}  // namespace convoy
