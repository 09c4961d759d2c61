// A layer as one rank runs it: the part of a logical layer whose channels and images this rank
// holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "core/ops/dropout.h"
#include "core/ops/gradient_sink.h"
#include "core/ops/op.h"

namespace convoy {

// What every layer of one pass shares.
struct Pass {
  OpContext op;
  bool training = true;
  DropoutDraw draw;  // place of the pass in the run
  // Told of every parameter's gradient as backward makes it, and may change the parameter then.
  // Null: nobody wants to know.
  GradientSink* sink = nullptr;
};

// A trained tensor: rows `rows` of the first axis of the logical tensor are here.
struct Parameter {
  std::string layer;  // "conv1"
  std::string kind;   // "weight" or "bias"
  Shape logical;
  Range rows;
  Initialisation init;
  std::uint32_t number = 0;  // tells tensors apart in the initial random numbers
  Tensor value;              // given by the network that owns the layer
  Tensor gradient;  // of the loss averaged over the global batch, once all reductions are done

  [[nodiscard]] bool is_bias() const { return kind == "bias"; }
  [[nodiscard]] Shape local() const { return {rows.size(), logical.h, logical.w, logical.c}; }
};

class Layer {
 public:
  virtual ~Layer() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual Shape output() const = 0;  // local [N, H, W, C]
  // True where the output is written over the input (and dx over dy).
  [[nodiscard]] virtual bool in_place() const { return false; }
  [[nodiscard]] virtual std::size_t workspace_bytes() const { return 0; }
  // Multiply-adds of this part: forward, and backward (data and weights).
  [[nodiscard]] virtual std::int64_t forward_multiply_adds() const { return 0; }
  [[nodiscard]] virtual std::int64_t backward_multiply_adds() const { return 0; }
  // Payload of this layer's exchange per pass, for exchange layers.
  [[nodiscard]] virtual std::int64_t exchange_bytes(bool /*backward*/) const { return 0; }
  [[nodiscard]] virtual std::string implementation() const { return {}; }
  [[nodiscard]] virtual std::vector<Parameter>& parameters() { return parameters_; }

  virtual void forward(const Pass&, const Tensor& x, const Tensor& y) = 0;
  // May overwrite dy. `dx` is null where the input's gradient is not wanted (first layer).
  virtual void backward(const Pass&, const Tensor& x, const Tensor& y, const Tensor& dy,
                        const Tensor* dx) = 0;

 protected:
  std::vector<Parameter> parameters_;
};

// The part of a layer that a rank holds: `images` of the batch, and channels of input and output.
struct LayerPart {
  std::int64_t images = 0;
  Range in;
  Range out;
  bool first = false;  // no gradient of the input is needed
  // Kernels of each tower held here, as ranges of output channels counted from `out.begin`: the
  // input's gradient is summed over towers in this order (input_gradient.h). One range where a
  // single tower is here, or where kernels read their own tower only.
  std::vector<Range> towers;
  std::uint32_t number = 0;  // of the layer among those with parameters
};

[[nodiscard]] std::unique_ptr<Layer> make_layer(Device& device, const LayerSpec& spec,
                                                const LayerPart& part);

}  // namespace convoy
