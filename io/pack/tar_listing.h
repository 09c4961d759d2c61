// Finds the images to pack in a tar, by what lies in it.
#pragma once

#include "io/pack/pack_source.h"
#include "io/pack/tar_file.h"

namespace convoy {

enum class TarKind {
  tar_of_tars,    // ILSVRC's training images: a tar a class
  class_folders,  // as in "train/n01440764/1.JPEG": the folder is the class
  flat,           // ILSVRC's validation images: labels name the classes
};

struct TarListing {
  TarKind kind = TarKind::flat;
  ImageListing images;  // without labels; of a flat tar also without class names
};

// Reads every header once, with its progress on standard error unless `quiet`. Throws
// Error(bad_data) for damage, for classes without images, and for class folders that do not lie
// side by side.
[[nodiscard]] TarListing list_tar(const TarFile& tar, bool quiet);

}  // namespace convoy
