// Pixels to PNGs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace convoy {

// The bytes of a PNG of pixels [height, width, 3] RGB. Throws Error(resource), naming the picture
// `what`.
[[nodiscard]] std::string encode_png(const std::string& what, const std::uint8_t* pixels,
                                     std::int64_t height, std::int64_t width);

// Writes pixels [height, width, 3] RGB as a PNG, aside, and renames it. Throws Error(resource).
void write_png(const std::filesystem::path& path, const std::uint8_t* pixels, std::int64_t height,
               std::int64_t width);

}  // namespace convoy
