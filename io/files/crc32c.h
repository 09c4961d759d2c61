// CRC-32C (Castagnoli), the checksum of stored images, labels and classes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace convoy {

// Continues from `crc`, the checksum of the bytes before; 0 to begin. "123456789" has 0xE3069283.
[[nodiscard]] std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t crc = 0);

}  // namespace convoy
