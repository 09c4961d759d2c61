// What travels beside the weights, as texts: how pixels become the net's input, and all that
// Convoy needs to take the net up again.
#pragma once

#include <optional>
#include <string>

#include "core/net/spec.h"
#include "core/options.h"
#include "io/model/model_file.h"
#include "io/run/checkpoint.h"

namespace convoy {

// The net subtracts the training set's mean image, or a mean of its colours.
[[nodiscard]] bool needs_mean_image(const PreprocessOptions& preprocess);

// Keys:
//   preprocessing  JSON: crop, stored_size (of images before the central crop), channels (RGB or
//                  BGR, the order of the input), and x = (pixel - mean) / std with pixels 0..255:
//                  mean_rgb and std_rgb where they are numbers, mean: "mean_image" where the
//                  training set's mean image is subtracted, its central crop
//   mean_image     of the training set, [S, S, 3] RGB, numbers parted by commas
//   classes, words JSON lists of texts, in the order of the logits
//   names          TensorNames; format = "pt" besides where PyTorch's modules take the tensors
//   convoy         JSON: what CheckpointInfo has besides (config, step, epoch, fingerprint, ...)
[[nodiscard]] Metadata metadata_of(const CheckpointInfo& info, const PreprocessOptions& preprocess,
                                   const NetSpec& net, TensorNames names);

// The names that a file's metadata tell; none where another program wrote it.
[[nodiscard]] std::optional<TensorNames> names_in(const Metadata& metadata);

// Back to what metadata_of was given, without continuation; none where another program wrote the
// file. Throws Error(bad_checkpoint), naming `path`, for values that are not as Convoy writes them.
[[nodiscard]] std::optional<CheckpointInfo> info_in(const Metadata& metadata,
                                                    const std::filesystem::path& path);

}  // namespace convoy
