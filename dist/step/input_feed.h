// Brings the reader's batches to the device and turns them into the network's input.
//
// On a GPU the copy of a batch runs beside the step before it: two slots in turn hold crops, crop
// records and labels. Where the device reads host memory, nothing is copied.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/device.h"
#include "core/ops/prepare_input.h"
#include "core/options.h"
#include "dist/step/session.h"
#include "io/read/reader.h"

namespace convoy {

class InputFeed {
 public:
  // Feeds the network of `session` with crops of its input's size; `mean_image` fp32 [mean_size,
  // mean_size, 3] RGB of the training set. Throws Error(usage) for an unknown data.mean.
  InputFeed(Session& session, const PreprocessOptions& options,
            const std::vector<float>& mean_image, std::int64_t mean_size);

  // Starts to bring a batch to the device. It must stay as it is until release().
  void upload(const Batch& batch);
  // Waits until the batch that was uploaded last is no longer read from host memory. Where the
  // device reads host memory that is when the pass over it is done.
  void release();

  // Later work of `stream` comes after the upload. Not within a graph.
  void await(Stream& stream);
  // Writes the uploaded batch as x, in the network's input form. `noise`: it carries colour noise
  // (noise_divisor applies).
  void load(bool noise, const OpContext& op, const Tensor& x);
  // Of the uploaded batch: int32 [N], in device memory.
  [[nodiscard]] Tensor labels() const;
  // All work that reads the batch is queued: its slot may be filled again after that. Not within a
  // graph.
  void done(Stream& stream);

 private:
  struct Slot {
    Buffer crops;    // uint8 [N, H, W, 3]
    Buffer records;  // CropRecord [N]
    Buffer labels;   // int32 [N]
    Buffer host_records;
    Buffer host_labels;
    std::unique_ptr<Event> uploaded;
    std::unique_ptr<Event> used;
  };
  // The batch that the next pass reads, wherever it lies.
  struct Current {
    void* crops = nullptr;
    const CropRecord* records = nullptr;
    void* labels = nullptr;
  };

  Device& device_;
  Shape shape_;
  std::unique_ptr<Stream> copies_;
  std::array<Slot, 2> slots_;
  std::size_t turn_ = 0;  // the slot uploaded last
  Current current_;
  Buffer mean_;
  std::unique_ptr<PrepareInputOp> plain_;
  std::unique_ptr<PrepareInputOp> noisy_;
};

}  // namespace convoy
