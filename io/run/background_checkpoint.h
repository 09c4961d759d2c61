// Writes a checkpoint on a thread of its own, piece by piece, while training goes on.
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/run/checkpoint.h"

namespace convoy {

// One tensor of a checkpoint, whole.
struct CheckpointTensor {
  std::string layer;
  std::string kind;
  Shape shape;
};

// The thread makes no MPI call. Give pieces, finish(), then ask done() until it says so.
class BackgroundCheckpoint {
 public:
  // `before_name`: called on the thread before the file gets its name; what it throws is met.
  BackgroundCheckpoint(
      std::filesystem::path path, CheckpointInfo info, std::vector<CheckpointTensor> tensors,
      std::function<void()> before_name = [] {});
  ~BackgroundCheckpoint();  // one that was finished is still written; another leaves nothing
  BackgroundCheckpoint(const BackgroundCheckpoint&) = delete;
  BackgroundCheckpoint& operator=(const BackgroundCheckpoint&) = delete;

  // Rows of tensors[tensor]. `values` must stay until `written` becomes true (null: until done()).
  void write(std::size_t tensor, Range rows, const float* values,
             std::atomic<bool>* written = nullptr);
  void finish();  // every piece has been given

  // True when the file is whole and on disk under its name. Throws what the thread met, and then no
  // file was left: Error(resource) for a full disk, Error(diverged) for a value that is not finite.
  [[nodiscard]] bool done();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
