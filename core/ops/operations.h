// The operations of a device: one factory per header of this folder.
#pragma once

#include <memory>

#include "core/ops/add.h"
#include "core/ops/channel_parts.h"
#include "core/ops/conv.h"
#include "core/ops/convert.h"
#include "core/ops/dropout.h"
#include "core/ops/fully_connected.h"
#include "core/ops/lrn.h"
#include "core/ops/lrn_pool.h"
#include "core/ops/pool.h"
#include "core/ops/prepare_input.h"
#include "core/ops/relu.h"
#include "core/ops/softmax_loss.h"
#include "core/ops/spatial_norm.h"
#include "core/ops/update.h"

namespace convoy {

class Operations {
 public:
  virtual ~Operations() = default;
  virtual std::unique_ptr<ConvOp> conv(const ConvSpec&) = 0;
  virtual std::unique_ptr<FullyConnectedOp> fully_connected(const FullyConnectedSpec&) = 0;
  virtual std::unique_ptr<ReluOp> relu() = 0;
  virtual std::unique_ptr<AddOp> add() = 0;
  virtual std::unique_ptr<ConvertOp> convert() = 0;
  virtual std::unique_ptr<LrnOp> lrn(const LrnSpec&) = 0;
  virtual std::unique_ptr<SpatialNormOp> spatial_norm(const SpatialNormSpec&) = 0;
  virtual std::unique_ptr<PoolOp> pool(const PoolSpec&) = 0;
  virtual std::unique_ptr<LrnPoolOp> lrn_pool(const LrnPoolSpec&) = 0;
  virtual std::unique_ptr<DropoutOp> dropout(const DropoutSpec&) = 0;
  virtual std::unique_ptr<SoftmaxLossOp> softmax_loss(std::int64_t images) = 0;
  virtual std::unique_ptr<UpdateOp> update() = 0;
  virtual std::unique_ptr<PrepareInputOp> prepare_input(const PrepareInputSpec&) = 0;
  virtual std::unique_ptr<ChannelPartsOp> channel_parts(const ChannelPartsSpec&) = 0;
};

}  // namespace convoy
