// Finds the images to pack in folders: class folders, each with the images of one class, or one
// folder of images that labels name.
#pragma once

#include <filesystem>

#include "io/pack/pack_source.h"

namespace convoy {

// Class folders in the order of their names' bytes; hidden files and folders are not seen. Images
// have no labels yet. Throws Error(bad_data) for an input of another layout and for a class folder
// without files.
[[nodiscard]] ImageListing list_class_folders(const std::filesystem::path& input);

// The files that lie in the folder itself; class names are for labels to fill in.
[[nodiscard]] ImageListing list_flat_folder(const std::filesystem::path& input);

// True where the folder has folders in it, hidden ones aside.
[[nodiscard]] bool has_folders(const std::filesystem::path& input);

}  // namespace convoy
