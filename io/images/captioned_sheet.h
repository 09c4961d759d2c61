// A PNG of pictures with words and bars below each, as in figure 4 of Krizhevsky et al. 2012.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

struct CaptionBar {
  std::string text;
  double fraction = 0;  // of the picture's width
  bool right = false;   // drawn in another colour
};

struct CaptionedPicture {
  std::vector<std::uint8_t> pixels;  // [size, size, 3] RGB, the same size in all of a sheet
  std::vector<std::string> lines;    // the first one stands out
  std::vector<CaptionBar> bars;
};

// Pictures row by row, `columns` in each; small ones are enlarged by whole factors, long words cut.
// Throws Error(resource), and Error(usage) for no picture at all or more than a PNG should hold.
void write_captioned_sheet(const std::filesystem::path& path,
                           const std::vector<CaptionedPicture>& pictures, std::int64_t size,
                           std::int64_t columns);

// Columns that make a sheet of so many pictures, each so many times as high as wide, about as wide
// as high, rather wider.
[[nodiscard]] std::int64_t sheet_columns(std::size_t pictures, double steepness = 1);

// The same for these, with what stands below them.
[[nodiscard]] std::int64_t sheet_columns(const std::vector<CaptionedPicture>& pictures,
                                         std::int64_t size);

}  // namespace convoy
