// ONNX: a net and its weights as a graph for inference, which other programs run.
#pragma once

#include <filesystem>

#include "io/model/model_file.h"

namespace convoy {

// The places of `model` are those of TensorNames::torch. Input `input` float [N, 3, H, W], any N;
// output `logits` [N, classes], or with `softmax` their `probabilities`. Operator set 13. The same
// model gives the same bytes. Throws Error(resource).
void write_onnx(const std::filesystem::path& path, const OutgoingModel& model, bool softmax);

}  // namespace convoy
