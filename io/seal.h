// A seal is one line of 64 bytes at the end of a file: the length and CRC-32C of all bytes before
// it. It shows a cut or changed file before anything parses it; HDF5 ignores bytes after its own.
#pragma once

#include <filesystem>

#include "core/error.h"

namespace convoy {

// Appends the seal to a file that is complete and closed. Throws Error(resource).
void seal_file(const std::filesystem::path& path);

// Throws Error(code), naming file and reason, for a file that is missing, has no seal, was cut
// short or differs in any bit from what was sealed.
void check_seal(const std::filesystem::path& path, ExitCode code);

}  // namespace convoy
