// A PNG with many images of a dataset side by side, to be looked at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

struct SheetImage {
  std::int64_t row = 0;  // place in the sheet, counted from 1
  std::int64_t column = 0;
  std::int32_t label = 0;
  std::string shard;
  std::int64_t image = 0;  // its number in the shard
  std::string id;          // where it came from; empty in shards without
};

// Gives the images places in a grid about as wide as high, row by row, in the order they have.
void place_in_grid(std::vector<SheetImage>& images);

// Writes pixels[i] [size, size, 3] at the place of images[i]; gaps are white. Throws
// Error(resource).
void write_contact_sheet(const std::filesystem::path& path, const std::vector<SheetImage>& images,
                         const std::vector<std::vector<std::uint8_t>>& pixels, std::int64_t size);

}  // namespace convoy
