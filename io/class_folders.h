// Finds the images to pack: a folder of class folders, each with the images of one class.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/dataset.h"
#include "io/pack.h"

namespace convoy {

struct ImageFile {
  std::string name;        // relative to the input: "class/file"
  std::int32_t label = 0;  // index of its class
};

struct ClassFolders {
  std::vector<ClassInfo> classes;
  std::vector<ImageFile> files;   // sorted by class, then by name
  std::vector<PackIssue> issues;  // what lies between them and is no file of a class
};

// Class folders in the order of their names' bytes; hidden files and folders are not seen. With a
// class list (not empty) the labels are its order, and folders may be missing but not added. Throws
// Error(bad_data) for an input of another layout, a class folder without files, or a class folder
// that the list does not have.
[[nodiscard]] ClassFolders find_class_folders(const std::filesystem::path& input,
                                              const std::filesystem::path& class_list);

// The classes of a dataset (a folder), or of a text file: a line a class, its name, then after a
// space or tab its words. Throws Error(bad_data).
[[nodiscard]] std::vector<ClassInfo> read_class_list(const std::filesystem::path& path);

}  // namespace convoy
