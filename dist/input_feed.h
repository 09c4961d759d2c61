// Turns the reader's batches into the network's input on the device.
#pragma once

#include <memory>
#include <vector>

#include "core/device.h"
#include "core/ops/prepare_input.h"
#include "core/options.h"
#include "io/reader.h"

namespace convoy {

class InputFeed {
 public:
  // `images` of [size, size, 3] a batch; `mean_image` fp32 [mean_size, mean_size, 3] RGB of the
  // training set. Throws Error(usage) for an unknown data.mean.
  InputFeed(Device& device, const PreprocessOptions& options, std::int64_t images,
            std::int64_t size, const std::vector<float>& mean_image, std::int64_t mean_size);

  // Writes x fp32 [N, H, W, 3]. `noise`: the batch carries colour noise (noise_divisor applies).
  void load(const Batch& batch, bool noise, const OpContext& op, const Tensor& x);

 private:
  Device& device_;
  Shape shape_;
  Buffer crops_;  // uint8 [N, H, W, 3]
  Buffer mean_;
  std::unique_ptr<PrepareInputOp> plain_;
  std::unique_ptr<PrepareInputOp> noisy_;
};

}  // namespace convoy
