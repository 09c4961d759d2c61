// The operations of the CUDA device.
#pragma once

#include <memory>

#include "core/cuda/context.h"
#include "core/ops/operations.h"

namespace convoy {

// One maker per NAME_cuda.cu or NAME_cuda.cpp; each checks its spec and throws Error(usage) for
// what it cannot do.
std::unique_ptr<ConvOp> make_conv_cuda(const CudaContext&, const ConvSpec&);
std::unique_ptr<FullyConnectedOp> make_fully_connected_cuda(const CudaContext&,
                                                            const FullyConnectedSpec&);
std::unique_ptr<ReluOp> make_relu_cuda(const CudaContext&);
std::unique_ptr<AddOp> make_add_cuda(const CudaContext&);
std::unique_ptr<ConvertOp> make_convert_cuda(const CudaContext&);
std::unique_ptr<LrnOp> make_lrn_cuda(const CudaContext&, const LrnSpec&);
std::unique_ptr<SpatialNormOp> make_spatial_norm_cuda(const CudaContext&, const SpatialNormSpec&);
std::unique_ptr<PoolOp> make_pool_cuda(const CudaContext&, const PoolSpec&);
std::unique_ptr<LrnPoolOp> make_lrn_pool_cuda(const CudaContext&, const LrnPoolSpec&);
std::unique_ptr<DropoutOp> make_dropout_cuda(const CudaContext&, const DropoutSpec&);
std::unique_ptr<SoftmaxLossOp> make_softmax_loss_cuda(const CudaContext&, std::int64_t images);
std::unique_ptr<UpdateOp> make_update_cuda(const CudaContext&);
std::unique_ptr<PrepareInputOp> make_prepare_input_cuda(const CudaContext&,
                                                        const PrepareInputSpec&);
std::unique_ptr<ChannelPartsOp> make_channel_parts_cuda(const CudaContext&,
                                                        const ChannelPartsSpec&);

class CudaOperations : public Operations {
 public:
  explicit CudaOperations(const CudaContext& context) : context_(context) {}

  std::unique_ptr<ConvOp> conv(const ConvSpec& s) override { return make_conv_cuda(context_, s); }
  std::unique_ptr<FullyConnectedOp> fully_connected(const FullyConnectedSpec& s) override {
    return make_fully_connected_cuda(context_, s);
  }
  std::unique_ptr<ReluOp> relu() override { return make_relu_cuda(context_); }
  std::unique_ptr<AddOp> add() override { return make_add_cuda(context_); }
  std::unique_ptr<ConvertOp> convert() override { return make_convert_cuda(context_); }
  std::unique_ptr<LrnOp> lrn(const LrnSpec& s) override { return make_lrn_cuda(context_, s); }
  std::unique_ptr<SpatialNormOp> spatial_norm(const SpatialNormSpec& s) override {
    return make_spatial_norm_cuda(context_, s);
  }
  std::unique_ptr<PoolOp> pool(const PoolSpec& s) override { return make_pool_cuda(context_, s); }
  std::unique_ptr<LrnPoolOp> lrn_pool(const LrnPoolSpec& s) override {
    return make_lrn_pool_cuda(context_, s);
  }
  std::unique_ptr<DropoutOp> dropout(const DropoutSpec& s) override {
    return make_dropout_cuda(context_, s);
  }
  std::unique_ptr<SoftmaxLossOp> softmax_loss(std::int64_t images) override {
    return make_softmax_loss_cuda(context_, images);
  }
  std::unique_ptr<UpdateOp> update() override { return make_update_cuda(context_); }
  std::unique_ptr<PrepareInputOp> prepare_input(const PrepareInputSpec& s) override {
    return make_prepare_input_cuda(context_, s);
  }
  std::unique_ptr<ChannelPartsOp> channel_parts(const ChannelPartsSpec& s) override {
    return make_channel_parts_cuda(context_, s);
  }

 private:
  CudaContext context_;
};

}  // namespace convoy
