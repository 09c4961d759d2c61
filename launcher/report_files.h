// The files in which a command leaves its figures besides what it prints.
#pragma once

#include <filesystem>
#include <vector>

namespace convoy {

// Before long work: throws Error(usage) where the file's folder is missing, where the file is there
// and no regular one, or where it is one of `inputs`, the paths that the command reads: the same
// file, or a part of a run or dataset among them. An empty path is no file to write.
void require_output(const std::filesystem::path& file,
                    const std::vector<std::filesystem::path>& inputs);

}  // namespace convoy
