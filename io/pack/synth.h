// `convoy synth`: procedural class folders of JPEGs that a small net can learn, for demos and
// tests.
#pragma once

#include <cstdint>
#include <filesystem>

namespace convoy {

struct SynthOptions {
  std::filesystem::path output;  // gets train/<class>/ and val/<class>/
  std::int64_t classes = 8;
  std::int64_t train_images = 64;  // per class
  std::int64_t val_images = 16;    // per class
  std::int64_t width = 80;         // pixels; sizes vary a little around it
  std::int64_t height = 72;
  std::uint64_t seed = 1;
};

// Each class is a texture and a shape (stripes, checks, discs, rings, ... in a range of colours,
// places and sizes) with noise, so that classes differ by form and not by colour alone.
void synthesise(const SynthOptions& options);

}  // namespace convoy
