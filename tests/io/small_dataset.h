// A packed dataset for one test: procedural images of a given number and size.
#pragma once

#include <cstdint>
#include <filesystem>

#include "io/dataset/dataset.h"
#include "io/pack/pack.h"
#include "io/pack/synth.h"

namespace convoy {

// Packs classes * per_class images [size, size, 3] below `folder` and returns the packed folder.
inline std::filesystem::path small_dataset(const std::filesystem::path& folder,
                                           std::int64_t classes, std::int64_t per_class,
                                           std::int64_t size, std::int64_t shard_images = 0) {
  SynthOptions images;
  images.output = folder / "images";
  images.classes = classes;
  images.train_images = per_class;
  images.val_images = 1;
  images.width = size + 8;
  images.height = size + 4;
  synthesise(images);
  PackOptions packing;
  packing.input = images.output / "train";
  packing.output = folder / "packed";
  packing.size = size;
  packing.shard_images = shard_images;
  packing.threads = 1;
  pack(packing);
  return packing.output;
}

}  // namespace convoy
