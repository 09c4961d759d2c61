// Moves between a tensor's channels lying together and lying as one block per part: the copy on
// either side of an exchange across ranks that hold channel slices.
#pragma once

#include <cstdint>
#include <vector>

#include "core/ops/op.h"

namespace convoy {

// `parts` holds for part p the channels [part p's begin, end); together they cover [0, C) in order.
// Part p is stored as [N, H, W, size of p] and begins at value p * slot: collectives move blocks of
// one size, so parts that differ in size each get a slot as large as the largest.
struct ChannelPartsSpec {
  Shape whole;  // [N, H, W, C]
  std::vector<Range> parts;
  std::int64_t slot = 0;  // values, at least N H W times the largest part
};

class ChannelPartsOp {
 public:
  virtual ~ChannelPartsOp() = default;
  // whole [N, H, W, C] from the slots; what a part leaves of its slot is not read.
  virtual void join(const OpContext&, const Tensor& parts, const Tensor& whole) = 0;
  // The reverse; what a part leaves of its slot is set to 0.
  virtual void split(const OpContext&, const Tensor& whole, const Tensor& parts) = 0;
  // One part only: [N, H, W, size of part `index`].
  virtual void extract(const OpContext&, const Tensor& whole, std::size_t index,
                       const Tensor& part) = 0;
};

}  // namespace convoy
