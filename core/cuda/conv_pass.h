// One pass of a convolution as a library computes it, and the plans the library has for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <cuda_runtime.h>

#include "core/cuda/cudnn.h"
#include "core/device.h"

namespace convoy {

struct ConvPass {
  enum class Kind { forward, data, weights };
  Kind kind = Kind::forward;
  Shape x;  // or dx
  Shape y;  // or dy
  std::int64_t kernel = 0;
  std::int64_t stride = 1;
  std::int64_t pad_begin = 0;
  std::int64_t pad_end = 0;
  std::int64_t groups = 1;
  // Channels from one pixel to the next in memory: more than x.c and y.c where a pass is given some
  // of a tensor's channels. Pointers are multiples of `alignment` bytes.
  std::int64_t x_pixel = 0;
  std::int64_t y_pixel = 0;
  std::int64_t alignment = 16;
  DType type = DType::f32;           // of all tensors but
  DType gradient_type = DType::f32;  // the gradient of the weights
  Precision precision = Precision::fp32;
  bool relu = false;  // forward, which always adds a bias
  bool mask = false;  // data: dx = 0 where not mask > 0, mask having dx's shape and pixels

  [[nodiscard]] Shape weights() const { return {y.c, kernel, kernel, x.c / groups}; }
  // Everything above in one line.
  [[nodiscard]] std::string text() const;
};

// What a pass reads and writes; b and mask only where it has them.
struct ConvPointers {
  void* x = nullptr;
  void* w = nullptr;
  void* b = nullptr;
  void* y = nullptr;
  void* mask = nullptr;
};

class ConvPlan {
 public:
  virtual ~ConvPlan() = default;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
  // From which make_plan() makes it again: "eng13 k2=1 k5=0", engine and knobs.
  [[nodiscard]] virtual std::string name() const = 0;
  virtual void run(cudaStream_t stream, const ConvPointers& pointers, void* workspace) = 0;
};

struct PlanLimits {
  std::size_t workspace = 0;   // bytes
  bool deterministic = false;  // only plans that always sum in one order
  std::size_t count = 16;      // plans at most
};

// The library's own order, its best guess first; none where it cannot do the pass.
[[nodiscard]] std::vector<std::unique_ptr<ConvPlan>> make_plans(Cudnn& cudnn, const ConvPass& pass,
                                                                const PlanLimits& limits);
// The plan of that name; null where the library does not have it or it breaks the limits.
[[nodiscard]] std::unique_ptr<ConvPlan> make_plan(Cudnn& cudnn, const ConvPass& pass,
                                                  const PlanLimits& limits,
                                                  const std::string& name);

}  // namespace convoy
