// The operations of the CPU device.
#pragma once

#include <memory>

#include "core/cpu/kernels.h"
#include "core/ops/checks.h"
#include "core/ops/operations.h"

namespace convoy {

// What every CPU operation needs to run.
struct CpuTeam {
  const cpu::Kernels& kernels;
  int threads;
};

// One maker per NAME_cpu.cpp; each checks its spec and throws Error(usage) for what it cannot do.
std::unique_ptr<ConvOp> make_conv_cpu(CpuTeam, const ConvSpec&);
std::unique_ptr<FullyConnectedOp> make_fully_connected_cpu(CpuTeam, const FullyConnectedSpec&);
std::unique_ptr<ReluOp> make_relu_cpu(CpuTeam);
std::unique_ptr<LrnOp> make_lrn_cpu(CpuTeam, const LrnSpec&);
std::unique_ptr<SpatialNormOp> make_spatial_norm_cpu(CpuTeam, const SpatialNormSpec&);
std::unique_ptr<PoolOp> make_pool_cpu(CpuTeam, const PoolSpec&);
std::unique_ptr<LrnPoolOp> make_lrn_pool_cpu(CpuTeam, const LrnPoolSpec&);
std::unique_ptr<DropoutOp> make_dropout_cpu(CpuTeam, const DropoutSpec&);
std::unique_ptr<SoftmaxLossOp> make_softmax_loss_cpu(CpuTeam);
std::unique_ptr<AddOp> make_add_cpu(CpuTeam);
std::unique_ptr<ConvertOp> make_convert_cpu(CpuTeam);
std::unique_ptr<UpdateOp> make_update_cpu(CpuTeam);
std::unique_ptr<PrepareInputOp> make_prepare_input_cpu(CpuTeam, const PrepareInputSpec&);
std::unique_ptr<ChannelPartsOp> make_channel_parts_cpu(CpuTeam, const ChannelPartsSpec&);

// What operations share with those that do their work too.
void mask_gradient(CpuTeam, const Tensor& y, const Tensor& dy);  // ReluOp::backward
[[nodiscard]] cpu::PoolGeometry pool_geometry(const PoolSpec&);

class CpuOperations : public Operations {
 public:
  CpuOperations(int threads, cpu::Isa isa) : team_{cpu::kernels_for(isa), threads} {}
  [[nodiscard]] const char* kernels_name() const { return team_.kernels.name; }

  std::unique_ptr<ConvOp> conv(const ConvSpec& s) override { return make_conv_cpu(team_, s); }
  std::unique_ptr<FullyConnectedOp> fully_connected(const FullyConnectedSpec& s) override {
    return make_fully_connected_cpu(team_, s);
  }
  std::unique_ptr<AddOp> add() override { return make_add_cpu(team_); }
  std::unique_ptr<ConvertOp> convert() override { return make_convert_cpu(team_); }
  std::unique_ptr<ReluOp> relu() override { return make_relu_cpu(team_); }
  std::unique_ptr<LrnOp> lrn(const LrnSpec& s) override { return make_lrn_cpu(team_, s); }
  std::unique_ptr<SpatialNormOp> spatial_norm(const SpatialNormSpec& s) override {
    return make_spatial_norm_cpu(team_, s);
  }
  std::unique_ptr<PoolOp> pool(const PoolSpec& s) override { return make_pool_cpu(team_, s); }
  std::unique_ptr<LrnPoolOp> lrn_pool(const LrnPoolSpec& s) override {
    return make_lrn_pool_cpu(team_, s);
  }
  std::unique_ptr<DropoutOp> dropout(const DropoutSpec& s) override {
    return make_dropout_cpu(team_, s);
  }
  std::unique_ptr<SoftmaxLossOp> softmax_loss(std::int64_t) override {
    return make_softmax_loss_cpu(team_);
  }
  std::unique_ptr<UpdateOp> update() override { return make_update_cpu(team_); }
  std::unique_ptr<PrepareInputOp> prepare_input(const PrepareInputSpec& s) override {
    return make_prepare_input_cpu(team_, s);
  }
  std::unique_ptr<ChannelPartsOp> channel_parts(const ChannelPartsSpec& s) override {
    return make_channel_parts_cpu(team_, s);
  }

 private:
  CpuTeam team_;
};

}  // namespace convoy
