// A convolution pass that runs: by one plan, or by a plan for a group, once for each of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cuda/context.h"
#include "core/cuda/conv_pass.h"

namespace convoy {

class ConvRunner {
 public:
  // With `slices` > 1 the plan is one of a group's pass.
  ConvRunner(std::unique_ptr<ConvPlan> plan, const ConvPass& pass, std::int64_t slices)
      : plan_(std::move(plan)), pass_(pass), slices_(slices) {}

  [[nodiscard]] std::size_t workspace_bytes() const { return plan_->workspace_bytes(); }
  [[nodiscard]] std::string name() const { return (slices_ > 1 ? "split:" : "") + plan_->name(); }
  [[nodiscard]] const ConvPass& pass() const { return pass_; }
  void run(cudaStream_t stream, const ConvPointers& pointers, void* workspace);

 private:
  std::unique_ptr<ConvPlan> plan_;
  ConvPass pass_;  // of all groups
  std::int64_t slices_;
};

// All ways that cuDNN has for the pass within the context's limits, at most some of each kind.
[[nodiscard]] std::vector<ConvRunner> conv_runners(const CudaContext& context,
                                                   const ConvPass& pass);
// The one of that name, or none.
[[nodiscard]] std::vector<ConvRunner> conv_runner(const CudaContext& context, const ConvPass& pass,
                                                  const std::string& name);
// The recorded one, or else the quickest, which is recorded; none where there is no way.
[[nodiscard]] std::vector<ConvRunner> choose_conv_runner(const CudaContext& context,
                                                         const ConvPass& pass);

// Memory for the tensors of a pass while it is timed.
class ConvScratch {
 public:
  ConvScratch(const CudaContext& context, const ConvPass& pass, std::size_t workspace);
  [[nodiscard]] const ConvPointers& pointers() const { return pointers_; }
  [[nodiscard]] void* workspace() const { return buffers_.back().data(); }

 private:
  std::vector<Buffer> buffers_;
  ConvPointers pointers_;
};

}  // namespace convoy
