// Names within a shard's file, shared by its writer and its reader (what they hold:
// io/dataset/shard.h).
#pragma once

#include <bit>

namespace convoy::shard_format {

inline constexpr const char* version = "convoy-shard/1";
inline constexpr const char* images = "/images";
inline constexpr const char* bytes = "/bytes";
inline constexpr const char* offsets = "/offsets";
inline constexpr const char* labels = "/labels";
inline constexpr const char* ids = "/ids";
inline constexpr const char* checksums = "/crc32c";

static_assert(std::endian::native == std::endian::little, "checksums are over little-endian words");

}  // namespace convoy::shard_format
