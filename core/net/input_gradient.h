// The gradient of an input that kernels of several towers read, when one rank holds those towers.
//
// It is the sum of the towers' gradients, made tower by tower and added in their order. Ranks that
// hold a tower each make the same sums and add them in the same order (reduce-scatter), so that
// strategy `single` rounds as strategy `model` does.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "core/net/layer.h"
#include "core/ops/operations.h"

namespace convoy {

// Op: ConvOp or FullyConnectedOp, one for each tower's kernels.
template <typename Op>
class InputGradient {
 public:
  // `parts[t]`: the kernels of ops[t], which together are the rows of the weights and the channels
  // of dy.
  InputGradient(Device& device, std::vector<std::unique_ptr<Op>> ops, std::vector<Range> parts,
                const Shape& x, const Shape& y)
      : ops_(std::move(ops)),
        parts_(std::move(parts)),
        x_(x),
        y_(y),
        type_(device.activation_type()) {
    for (const auto& op : ops_) op_bytes_ = std::max(op_bytes_, aligned(op->workspace_bytes()));
    std::int64_t slot = 0;
    for (std::size_t t = 0; t < parts_.size(); ++t) slot = std::max(slot, part_shape(t).count());
    split_ = device.operations().channel_parts({y, parts_, slot});
    add_ = device.operations().add();
    relu_ = device.operations().relu();
    part_bytes_ = aligned(static_cast<std::size_t>(slot) * size_of(type_));
  }

  [[nodiscard]] std::size_t workspace_bytes() const {
    return op_bytes_ + part_bytes_ + static_cast<std::size_t>(x_.count()) * size_of(type_);
  }

  // `mask`: as for backward_data of Op.
  void run(const OpContext& op, const Tensor& dy, const Tensor& w, const Tensor& dx,
           const Tensor* mask) {
    auto* const memory = static_cast<std::byte*>(op.workspace);
    for (std::size_t t = 0; t < ops_.size(); ++t) {
      const Tensor part{memory + op_bytes_, part_shape(t), type_};
      const Tensor sum{memory + op_bytes_ + part_bytes_, x_, type_};
      const Tensor rows = w.part(parts_[t].begin * w.shape.per_row(),
                                 {parts_[t].size(), w.shape.h, w.shape.w, w.shape.c});
      split_->extract(op, dy, t, part);
      ops_[t]->backward_data(op, part, rows, t == 0 ? dx : sum, nullptr);
      if (t > 0) add_->apply(op, sum, dx);
    }
    if (mask != nullptr) relu_->backward(op, *mask, dx);
  }

 private:
  static std::size_t aligned(std::size_t bytes) { return (bytes + 255) / 256 * 256; }
  [[nodiscard]] Shape part_shape(std::size_t t) const {
    return {y_.n, y_.h, y_.w, parts_[t].size()};
  }

  std::vector<std::unique_ptr<Op>> ops_;
  std::vector<Range> parts_;
  Shape x_;
  Shape y_;
  DType type_;
  std::unique_ptr<ChannelPartsOp> split_;
  std::unique_ptr<AddOp> add_;
  std::unique_ptr<ReluOp> relu_;  // masks the sum
  std::size_t op_bytes_ = 0;      // workspace of the ops
  std::size_t part_bytes_ = 0;    // a tower's channels of dy
};

}  // namespace convoy
