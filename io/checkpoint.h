// Checkpoints: HDF5 files of whole logical tensors under /parameters/<layer>/weight|bias, with all
// that evaluation needs: the configuration, the classes, and the training set's mean.
//
// Attributes of the file: format = "convoy-checkpoint/1", step, epoch, config, fingerprint,
// image_size. Datasets: /parameters/<layer>/<kind> (float32; weights with the attribute layout =
// "KRSC"), /classes, /words, /mean_image [S, S, 3] RGB, /pca_deviations [3], /pca_vectors [3, 3].
// The file ends with a seal (io/seal.h), so that one cut short or changed by a bit is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/dataset.h"

namespace convoy {

struct CheckpointInfo {
  std::int64_t step = 0;    // finished steps
  std::int64_t epoch = 0;   // finished epochs
  std::string config;       // the run's resolved configuration as INI text
  std::string fingerprint;  // of the training set
  std::vector<ClassInfo> classes;
  std::int64_t image_size = 0;    // S of the training set
  std::vector<float> mean_image;  // [S, S, 3] RGB of the training set
  ColourPca pca;
};

// Writes aside (PATH.partial), syncs and renames when finished; an unfinished one is removed. One
// thread at a time.
class CheckpointWriter {
 public:
  // Throws Error(resource) when the file cannot be made, Error(usage) for a mean image that is not
  // [S, S, 3].
  CheckpointWriter(const std::filesystem::path& path, const CheckpointInfo& info);
  ~CheckpointWriter();
  // kind: "weight" or "bias", or begins with one of them where more is kept of a parameter
  // ("weight_velocity"). Weights are stored with four axes [K, R, S, C] (fully connected: [out, H,
  // W, C]), biases with one. `values` is the whole tensor and free again when the call returns.
  void add(const std::string& layer, const std::string& kind, const Shape& shape,
           const float* values);
  void finish();  // throws Error(resource) when the disk is full

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class CheckpointReader {
 public:
  // Checks the whole file once (its seal), so that later reads need not. Throws
  // Error(bad_checkpoint), naming file and reason, for a missing, foreign or damaged one.
  explicit CheckpointReader(const std::filesystem::path& path);
  ~CheckpointReader();
  [[nodiscard]] const CheckpointInfo& info() const;
  // Rows [rows.begin, rows.end) of the first axis. Throws Error(bad_checkpoint) where the tensor is
  // missing or its shape is not `logical`, Error(usage) for rows outside it. Thread-safe.
  void read(const std::string& layer, const std::string& kind, const Shape& logical, Range rows,
            float* values) const;
  // All tensors in the file, by name; biases have the shape [K, 1, 1, 1].
  struct Entry {
    std::string layer;
    std::string kind;
    Shape shape;
  };
  [[nodiscard]] std::vector<Entry> entries() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
