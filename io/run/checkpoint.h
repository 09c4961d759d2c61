// Checkpoints: HDF5 files of whole logical tensors under /parameters/<layer>/weight|bias, with all
// that evaluation needs: the configuration, the classes, and the training set's mean; and, beside
// each tensor, what the solver keeps of it, with all else that a run needs to go on exactly.
//
// Attributes of the file: format = "convoy-checkpoint/2", step, epoch, config, fingerprint,
// image_size; where a run can go on from it also global_batch, strategy, ranks, made_on, kernels,
// plateau_drops, plateau_waited, plateau_best, best_top1. Datasets: /parameters/<layer>/<kind>
// (float32; kinds weight and bias, and these with _velocity, or _moment1 and _moment2; what belongs
// to weights has the attribute layout = "KRSC"), /classes, /words, /mean_image [S, S, 3] RGB,
// /pca_deviations [3], /pca_vectors [3, 3]. "convoy-checkpoint/1" had weights and biases only and
// is still read. The file ends with a seal (io/files/seal.h), so that one cut short or changed by a
// bit is refused.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/schedule.h"
#include "core/tensor.h"
#include "io/dataset/dataset.h"

namespace convoy {

// What a run needs beside the tensors to go on as if it had not been stopped.
struct ContinuationInfo {
  std::int64_t global_batch = 0;
  PlateauState plateau;
  double best_top1 = -1;  // of the evaluations before this step; negative: none
  std::string kernels;    // KernelChoices::text() of the run
  // Where it was made, to say what may differ from now on.
  std::string made_on;  // Device::kernels()
  std::string strategy;
  std::int64_t ranks = 0;
  std::int64_t threads = 0;  // of a rank; 0: not known, as in older files
  std::string validation;    // fingerprint of the validation set; empty: none, or not known
};

struct CheckpointInfo {
  std::int64_t step = 0;    // finished steps
  std::int64_t epoch = 0;   // finished epochs
  std::string config;       // the run's resolved configuration as INI text
  std::string fingerprint;  // of the training set
  std::vector<ClassInfo> classes;
  std::int64_t image_size = 0;    // S of the training set
  std::vector<float> mean_image;  // [S, S, 3] RGB of the training set
  ColourPca pca;
  std::optional<ContinuationInfo> continuation;  // none: for evaluation only
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
  // W, C]), biases with one.
  void create(const std::string& layer, const std::string& kind, const Shape& shape);
  // Rows of a tensor that was created; `values` are free again when the call returns. Rows that are
  // never written have any value.
  void write(const std::string& layer, const std::string& kind, Range rows, const float* values);
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
  [[nodiscard]] const std::filesystem::path& path() const;
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
