// The gradient of a convolution's weights and biases by minimal filtering on the CPU.
#pragma once

#include <cstdint>

#include "core/ops/minimal_passes.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/unreached_weights.h"

namespace convoy {

class MinimalGradient {
 public:
  // Of the convolution `spec`, whose forward pass for a group is `forward`; `zeros` is a pixel of
  // zeros. Both must outlive this.
  MinimalGradient(CpuTeam team, const ConvSpec& spec, const Application& forward,
                  const float* zeros);

  [[nodiscard]] std::int64_t workspace_floats() const;
  // All filters [kernels, taps, taps, channels], and a little more.
  [[nodiscard]] std::int64_t filter_floats() const;
  // x and dy, as they lie in memory, to db [kernels], and to the gradient of the filters, which
  // lies in the workspace.
  const float* run(float* workspace, const float* x, const float* dy, float* db) const;

 private:
  [[nodiscard]] std::int64_t bias_floats() const;
  [[nodiscard]] std::int64_t thread_floats() const;
  [[nodiscard]] std::int64_t channels() const { return forward_.in.channels; }
  void sum_run(std::int64_t run, std::int64_t group, const Range& kernels, const float* x,
               const float* dy, float* dw, float* db, float* scratch) const;
  void add_products(const cpu::MinimalBlock& block, const cpu::MinimalImages& x,
                    const cpu::MinimalImages& dy, const Range& kernels, bool add, float* sums,
                    float* db, float* scratch) const;

  CpuTeam team_;
  ConvSpec spec_;
  const Application& forward_;
  const cpu::MinimalKernels& kernels_;
  const float* zeros_;
  std::int64_t runs_;  // of images, whose sums are added pairwise
  WeightGradient sums_;
  UnreachedWeights unreached_;
};

}  // namespace convoy
