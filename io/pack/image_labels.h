// Labels that lie beside the images: which class each image of a flat folder or tar belongs to.
#pragma once

#include <filesystem>
#include <optional>

#include "io/pack/devkit.h"
#include "io/pack/pack_source.h"

namespace convoy {

// Fills in the class names of `listing`, whose images have none. `labels` is a text file: either
// lines "FILE CLASS", or, as ILSVRC publishes it, an ILSVRC id a line for the images in the order
// of their names, which `devkit` translates; empty: the devkit's own ground truth. Returns true
// where ids were used. Throws Error(bad_data) where labels and images are not the same in number
// and name, and for ids that the devkit does not have; Error(usage) for ids without a devkit.
bool label_images(ImageListing& listing, const std::filesystem::path& labels,
                  const std::optional<Devkit>& devkit);

// The images of a list file: lines "PATH CLASS", parted by the line's last tab, or by its last
// blank. Throws Error(bad_data), naming the line.
[[nodiscard]] ImageListing read_image_list(const std::string& text,
                                           const std::filesystem::path& path);

}  // namespace convoy
