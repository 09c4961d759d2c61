// What `convoy predict` does, as a call: image files through a checkpoint's net, in their order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "dist/comm/communicator.h"
#include "dist/job.h"
#include "io/run/checkpoint.h"

namespace convoy {

struct PredictOptions {
  std::vector<std::filesystem::path> files;
  int views = 1;            // 1: centre, 10
  std::int64_t batch = 32;  // images passed together at most
  int threads = 0;          // that decode, beside those of the net; 0: the cores of this process
  JobOptions job;           // the checkpoint's, with device and precision as they are wanted
};

// Valid while it is told of.
struct Prediction {
  const std::filesystem::path& file;
  const std::string& error;              // why there is none, behind the file's name; else empty
  std::span<const std::string> notes;    // what was repaired or converted in the file
  std::span<const std::uint8_t> square;  // [S, S, 3] RGB, as a dataset would hold it
  std::span<const float> probabilities;  // [classes]
  std::span<const float> logits;         // [classes], of the first view
};

// Threads decode and resize while the net computes. `each` is told of every file, in their order; a
// damaged one ends nothing. Throws what Predictor throws.
void predict(World& world, const CheckpointReader& checkpoint, const PredictOptions& options,
             const std::function<void(const Prediction&)>& each);

}  // namespace convoy
