// A checkpoint's net as a file that other programs read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "core/options.h"
#include "io/run/checkpoint.h"

namespace convoy {

struct ExportOptions {
  std::filesystem::path output;  // .safetensors, .onnx or .caffemodel: its ending says the format
  std::string names;             // of safetensors: torch, convoy, alexnet-pytorch or torchvision
  bool softmax = false;          // ONNX: probabilities instead of logits
};

struct ExportReport {
  std::vector<std::filesystem::path> files;  // OUTPUT, then what was written beside it
  std::int64_t parameters = 0;
  std::vector<std::string> notes;  // what a person should know who uses the file; sentences
};

// Beside the weights: OUTPUT's name with .py (names torch: a module of PyTorch's), or .prototxt and
// .binaryproto (Caffe: the net as text; the mean image, where the net subtracts one). `net` and
// `preprocess` are the checkpoint's. All files are whole, or none is there. Throws Error(usage)
// where the ending, the names or the net do not go together, or where a file to write is a folder
// or a .py that no export wrote, Error(bad_checkpoint) for values that are not finite, naming the
// tensor, Error(resource).
[[nodiscard]] ExportReport export_model(const CheckpointReader& checkpoint, const NetSpec& net,
                                        const PreprocessOptions& preprocess,
                                        const ExportOptions& options);

}  // namespace convoy
