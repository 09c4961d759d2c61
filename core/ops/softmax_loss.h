// Softmax, cross-entropy, its gradient, and top-1 / top-5 counts.
#pragma once

#include <cstdint>

#include "core/ops/op.h"

namespace convoy {

// Sums over the images that have a label. Lives in device memory.
struct LossSums {
  double loss = 0;  // sum of -log p[label], natural logarithm
  std::int64_t images = 0;
  std::int64_t top1 = 0;  // images whose label has the largest logit
  std::int64_t top5 = 0;  // images whose label is among the five largest
};

class SoftmaxLossOp {
 public:
  virtual ~SoftmaxLossOp() = default;
  // p [N, classes] = softmax(logits), with the maximum subtracted first. p is fp32; where the
  // logits are too, it may be their own memory.
  virtual void softmax(const OpContext&, const Tensor& logits, const Tensor& p) = 0;
  // dlogits = (softmax(logits) - onehot(label)) * scale, 0 for images with label -1 (padding), and
  // *sums (overwritten). labels int32 [N] in [-1, classes): the CPU device throws Error(bad_data)
  // for others, on a GPU they make the loss NaN. Where logits are equal the lower class number
  // ranks first; an image with a NaN among its logits counts as wrong and makes the loss NaN.
  // `dlogits` may be the logits' own memory.
  virtual void loss(const OpContext&, const Tensor& logits, const Tensor& labels, float scale,
                    const Tensor& dlogits, LossSums* sums) = 0;
  // *sums (overwritten) from probabilities already averaged over views, p [N, classes]. A label's
  // probability of 0 counts as the least positive fp32, so that one image cannot make it infinite.
  virtual void evaluate(const OpContext&, const Tensor& p, const Tensor& labels,
                        LossSums* sums) = 0;
};

}  // namespace convoy
