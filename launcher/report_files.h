// The files in which a command leaves its figures besides what it prints.
#pragma once

#include <filesystem>

namespace convoy {

// Before long work: throws Error(usage) where the file's folder is missing, or the file is a
// folder.
void require_folder_of(const std::filesystem::path& file);

}  // namespace convoy
