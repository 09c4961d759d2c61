// Pixels to a PNG file.
#pragma once

#include <cstdint>
#include <filesystem>

namespace convoy {

// Writes pixels [height, width, 3] RGB as a PNG, aside, and renames it. Throws Error(resource).
void write_png(const std::filesystem::path& path, const std::uint8_t* pixels, std::int64_t height,
               std::int64_t width);

}  // namespace convoy
