// Writes many bytes into a file without taking them through the page cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace convoy {

// Writes `bytes` at `offset` of an existing file. What lies at whole pages in memory and in the
// file goes to the disk from where it is, which spares a copy and leaves the page cache to those
// who read; the rest, and everything where the file system does not take direct writes, goes
// through the cache. The bytes are safe after a sync only. Throws Error(resource).
void write_directly(const std::filesystem::path& path, std::int64_t offset,
                    std::span<const std::uint8_t> bytes);

}  // namespace convoy
