// Batches of random pixels and labels, for timing without a dataset.
#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "core/tensor.h"
#include "io/read/reader.h"

namespace convoy {

// A few batches that are drawn once and given in turn. What stands at a place of the global batch
// depends on the seed, the batch's number and the place only, so that every strategy sees the same.
class RandomBatches {
 public:
  // `slice`: this replica's places in the global batch; crops of size x size pixels.
  RandomBatches(Device& device, Range slice, std::int64_t size, std::int64_t classes,
                std::uint64_t seed, int batches);
  // The batch of a step: number step % batches.
  [[nodiscard]] Batch batch(std::int64_t step) const;

 private:
  struct Drawn {
    Buffer crops;  // uint8 [N, size, size, 3]
    std::vector<std::int32_t> labels;
    std::vector<CropRecord> records;
  };
  std::vector<Drawn> batches_;
};

}  // namespace convoy
