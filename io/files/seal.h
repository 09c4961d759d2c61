// A seal is one line at the end of a file: the length and CRC-32C of all bytes before it. It shows
// a cut or changed file before anything parses it; HDF5 ignores bytes after its own.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/error.h"

namespace convoy {

// Bytes [begin, end) of a file that its seal leaves out, because they are many and have checksums
// of their own; the line says which.
struct Unsealed {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// Appends the seal, of 64 bytes or 128 with a gap, to a file that is complete and closed. Throws
// Error(resource).
void seal_file(const std::filesystem::path& path, Unsealed gap = {});

// Whether the file ends with a seal, right or wrong, or with the beginning of one. Throws
// Error(code) for a file that cannot be read.
[[nodiscard]] bool has_seal(const std::filesystem::path& path, ExitCode code);

// Throws Error(code), naming file and reason, for a file that is missing, has no seal, was cut
// short or differs in any bit from what was sealed.
void check_seal(const std::filesystem::path& path, ExitCode code);

}  // namespace convoy
