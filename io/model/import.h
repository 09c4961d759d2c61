// Weights of other programs as a checkpoint.
#pragma once

#include <filesystem>
#include <memory>

#include "core/net/spec.h"
#include "io/model/model_file.h"
#include "io/run/checkpoint.h"

namespace convoy {

// By its ending: .safetensors or .caffemodel. Throws Error(usage) for another one, Error
// (bad_checkpoint) for a file that is damaged or foreign.
[[nodiscard]] std::unique_ptr<ModelFile> open_model(const std::filesystem::path& path);

// Writes the file's tensors as the checkpoint `path` of `net`, whole or not at all. `bgr`: the net
// reads blue, green, red. Throws Error(bad_checkpoint), naming the tensor, where the file has
// another shape (both are named), lacks one, has one too many, or holds values that are not finite;
// Error(usage) where `names` are not for this net; Error(resource).
void import_model(const ModelFile& file, const NetSpec& net, TensorNames names, bool bgr,
                  const CheckpointInfo& info, const std::filesystem::path& path);

}  // namespace convoy
