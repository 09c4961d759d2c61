// A convolution pass as a graph of cuDNN's operations.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cuda/conv_pass.h"
#include "core/cuda/cudnn_descriptor.h"

namespace convoy {

// Names of the tensors that a plan is given.
enum class CudnnTensor : std::int64_t { x = 1, w, b, y, mask, first_virtual };

class CudnnGraph {
 public:
  CudnnGraph(const Cudnn::State& state, const ConvPass& pass);
  [[nodiscard]] const CudnnDescriptor& graph() const { return graph_; }
  // False where cuDNN does not know such a graph.
  [[nodiscard]] bool supported() const { return supported_; }

 private:
  CudnnDescriptor tensor(CudnnTensor name, const Shape& shape, std::int64_t pixel, DType type,
                         bool is_virtual = false) const;
  void add_forward(const CudnnDescriptor& convolution);
  void add_data(const CudnnDescriptor& convolution);
  void add_weights(const CudnnDescriptor& convolution);
  // An operation `mode` on `in` and `other`, or on `in` alone.
  void add_pointwise(cudnnPointwiseMode_t mode, const CudnnDescriptor& in,
                     const CudnnDescriptor* other, const CudnnDescriptor& out);

  ConvPass pass_;
  std::vector<CudnnDescriptor> operations_;
  CudnnDescriptor graph_;
  bool supported_ = false;
};

}  // namespace convoy
