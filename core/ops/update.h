// One optimiser step over all parameters of a rank.
// SGD is the paper's (section 5): v <- momentum v - decay lr w - lr g,  w <- w + v.
// Adam is Kingma and Ba 2015 without decay, for the alexnet-pytorch recipe.
#pragma once

#include <cstdint>
#include <span>

#include "core/ops/op.h"

namespace convoy {

// One parameter tensor (or a part of it) as the update sees it: `rows` times `count` floats.
struct UpdateSegment {
  float* w = nullptr;        // value
  const float* g = nullptr;  // gradient of the mean loss over the global batch
  float* v = nullptr;        // velocity (SGD), first moment (Adam)
  float* s = nullptr;        // second moment (Adam), null for SGD
  std::int64_t count = 0;
  float lr = 0;          // learning rate of this tensor; 0 freezes it: neither w nor v changes
  float decay = 0;       // weight decay of this tensor (SGD)
  void* copy = nullptr;  // bf16: gets the new value, rounded; null where there is none
  // More than one row only where the device updates from a cache. Floats from one to the next, of
  // w, v and s and of g.
  std::int64_t rows = 1;
  std::int64_t row = 0;
  std::int64_t g_row = 0;
};

struct AdamSpec {
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
};

// Several threads may call at once; a call from inside an operation's team runs on its thread
// alone.
class UpdateOp {
 public:
  virtual ~UpdateOp() = default;
  // The calling thread updates this segment soon: what it holds beside gradients may be fetched
  // into a cache. Does nothing where the device does not update from one.
  virtual void expect(const UpdateSegment&) {}
  virtual void sgd(const OpContext&, std::span<const UpdateSegment> segments, float momentum) = 0;
  // `step` counts from 1 (bias correction).
  virtual void adam(const OpContext&, std::span<const UpdateSegment> segments, const AdamSpec& spec,
                    std::int64_t step) = 0;
};

}  // namespace convoy
