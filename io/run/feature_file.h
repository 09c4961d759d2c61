// Features of a dataset's images, kept so that they are computed once: an HDF5 file of
// /features float32 [n, D], in the order of the dataset, and /half_squares float32 [n], half the
// sum of the squares of each row. Attributes: format = "convoy-features/1", weights, dataset (what
// they were computed from). The file ends with a seal (io/files/seal.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/run/checkpoint.h"

namespace convoy {

struct FeatureOrigin {
  std::string weights;  // weights_fingerprint()
  std::string dataset;  // Dataset::fingerprint()
  friend bool operator==(const FeatureOrigin&, const FeatureOrigin&) = default;
};

// A number that changes with all that features depend on: weights, biases, mean image and the run's
// configuration; hex of a checksum.
[[nodiscard]] std::string weights_fingerprint(const CheckpointReader& checkpoint);

// Writes aside and renames when finished; an unfinished file is removed. Throws Error(resource).
class FeatureWriter {
 public:
  FeatureWriter(const std::filesystem::path& path, const FeatureOrigin& origin, std::int64_t images,
                std::int64_t values);
  ~FeatureWriter();
  void write(Range rows, const float* features);  // [rows, D]
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class FeatureReader {
 public:
  // Throws Error(bad_data), naming file and reason, for a missing, foreign or damaged one.
  explicit FeatureReader(const std::filesystem::path& path);
  FeatureReader(FeatureReader&&) noexcept;
  ~FeatureReader();
  [[nodiscard]] const FeatureOrigin& origin() const;
  [[nodiscard]] std::int64_t images() const;  // n
  [[nodiscard]] std::int64_t values() const;  // D
  [[nodiscard]] const std::vector<float>& half_squares() const;
  // [rows, D]. Thread-safe; out of the page cache, past HDF5, where that can be.
  void read(Range rows, float* features) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
