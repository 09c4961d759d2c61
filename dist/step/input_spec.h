// A recipe's input transformation, as the operation that makes it takes it.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ops/prepare_input.h"
#include "core/options.h"

namespace convoy {

// Mean, scale and order of colours; `mean_image` fp32 [mean_size, mean_size, 3] RGB of the training
// set. Images, size and form are left to the caller. Throws Error(usage) for an unknown data.mean.
[[nodiscard]] PrepareInputSpec input_spec(const PreprocessOptions& options,
                                          const std::vector<float>& mean_image,
                                          std::int64_t mean_size);
// The same for batches that carry colour noise.
[[nodiscard]] PrepareInputSpec with_noise(PrepareInputSpec spec, const PreprocessOptions& options);

// Whether training batches of an epoch carry it.
[[nodiscard]] inline bool carries_noise(const PreprocessOptions& options, std::int64_t epoch) {
  return options.colour_noise > 0 && (options.noise_epochs == 0 || epoch < options.noise_epochs);
}

}  // namespace convoy
