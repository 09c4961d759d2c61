// Dropout, in place. Krizhevsky et al. 2012, section 4.2.
//
// The mask is a function of the counter alone (random.h): nothing is stored, backward draws it
// anew, and a rank that holds some channels of some images draws exactly its part of the whole
// mask.
#pragma once

#include <cstdint>

#include "core/ops/op.h"

namespace convoy {

struct DropoutSpec {
  Shape x;                         // local [N, H, W, C]
  std::int64_t channels = 0;       // of the whole layer, over all ranks
  std::int64_t first_channel = 0;  // of this part
  std::uint32_t layer = 0;         // numbers the dropout layers of a network
  double drop = 0.5;               // probability that an output is dropped, in [0, 1)
};

// The place of a call in the run.
struct DropoutDraw {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::int64_t first_image = 0;  // place of the part's first image in the global batch
};

class DropoutOp {
 public:
  virtual ~DropoutOp() = default;
  // x = kept ? x * scale : 0. Element e of an image counts over the whole layer, (h W + w) C + c.
  // With drop = 0.5 the element is kept if its bit is set: bit e % 32 of word e / 32 % 4 of block
  // e / 128; otherwise if uniform(word e % 4 of block e / 4) >= drop. The source is
  // RandomSource(seed, Purpose::dropout, layer) at time = step, position = image.
  virtual void apply(const OpContext&, const DropoutDraw& draw, float scale, const Tensor& x) = 0;
  // x = x * scale, for test time.
  virtual void rescale(const OpContext&, float scale, const Tensor& x) = 0;
};

}  // namespace convoy
