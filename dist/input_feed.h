// Turns the reader's batches into the network's input on the device.
#pragma once

#include <memory>
#include <vector>

#include "core/device.h"
#include "core/ops/prepare_input.h"
#include "core/options.h"
#include "dist/session.h"
#include "io/reader.h"

namespace convoy {

class InputFeed {
 public:
  // Feeds the network of `session` with crops of its input's size; `mean_image` fp32 [mean_size,
  // mean_size, 3] RGB of the training set. Throws Error(usage) for an unknown data.mean.
  InputFeed(Session& session, const PreprocessOptions& options,
            const std::vector<float>& mean_image, std::int64_t mean_size);

  // Writes x in the network's input form. `noise`: the batch carries colour noise (noise_divisor
  // applies).
  void load(const Batch& batch, bool noise, const OpContext& op, const Tensor& x);

 private:
  Device& device_;
  Shape shape_;
  Buffer crops_;    // uint8 [N, H, W, 3]
  Buffer records_;  // CropRecord [N]
  Buffer mean_;
  std::unique_ptr<PrepareInputOp> plain_;
  std::unique_ptr<PrepareInputOp> noisy_;
};

}  // namespace convoy
