// The bytes of an image's file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace convoy {

// Throws Error(bad_data) for an image of more bytes than anyone means.
void check_image_bytes(std::int64_t bytes);

// Throws Error(bad_data) with what is wrong, to be put behind the file's name: "cannot be read:
// ...".
[[nodiscard]] std::vector<std::uint8_t> read_image_file(const std::filesystem::path& path);

}  // namespace convoy
