// A layer as one rank runs it: the part of a logical layer whose channels and images this rank
// holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/net/spec.h"
#include "core/ops/conv.h"
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

// How ranks share a tensor: its rows are cut into `shares`, each of which `copies` ranks hold.
// Copies' gradients are parts of a sum over those ranks.
struct Sharing {
  int shares = 1;
  int copies = 1;
};

// A trained tensor: rows `rows` of the first axis of the logical tensor are here.
struct Parameter {
  std::string layer;  // "conv1"
  std::string kind;   // "weight" or "bias"
  Shape logical;
  Range rows;
  Sharing sharing;
  Initialisation init;
  std::uint32_t number = 0;  // tells tensors apart in the initial random numbers
  // Given by the network that owns the layer. The gradient is that of the loss averaged over the
  // global batch, once all reductions are done.
  Tensor value;     // fp32: what is trained and kept
  Tensor working;   // in the device's activation type: what operations read; may be `value` itself
  Tensor gradient;  // fp32

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
  // Those that the implementation really makes.
  [[nodiscard]] virtual std::int64_t forward_products() const { return forward_multiply_adds(); }
  [[nodiscard]] virtual std::int64_t backward_products() const { return backward_multiply_adds(); }
  // Payload of this layer's exchange in a step, for exchange layers.
  [[nodiscard]] virtual std::int64_t exchange_bytes(bool /*backward*/) const { return 0; }
  [[nodiscard]] virtual std::string implementation() const { return {}; }
  // The form in which the layer reads the network's input, where it is the first: x [N, H, W, C].
  [[nodiscard]] virtual InputForm input_form(const Shape& x) const { return InputForm::plain(x); }
  [[nodiscard]] virtual std::vector<Parameter>& parameters() { return parameters_; }

  // The gradient that passes between a layer that ends in a ReLU and the one above it is masked by
  // the ReLU's output: by the lower layer in a pass of its own over dy, or by the upper one where
  // it writes dx, which costs next to nothing. The network settles which before the first pass.
  //
  // The output is a ReLU's, by which backward masks dy.
  [[nodiscard]] virtual bool ends_in_relu() const { return false; }
  // Asks for dx = 0 where not x > 0, as the input is a ReLU's output. True if backward will.
  [[nodiscard]] virtual bool mask_input_gradient() { return false; }
  // The layer above will: backward leaves its own mask out.
  virtual void expect_masked_gradient() {}

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
  std::uint32_t number = 0;                // of the layer among those with parameters
  ConvMethod method = ConvMethod::direct;  // of a convolution
  std::int64_t sum_parts = 1;              // of gradients of weights; ConvSpec::sum_parts
  bool exact_zeros = false;                // in gradients of weights; ConvSpec::exact_zeros
  Sharing sharing{};                       // of its parameters, whose rows `out` are here
};

[[nodiscard]] std::unique_ptr<Layer> make_layer(Device& device, const LayerSpec& spec,
                                                const LayerPart& part);
// One layer for two that follow each other, where they are quicker together (normalisation and
// pooling), named "norm1+pool1"; otherwise null.
[[nodiscard]] std::unique_ptr<Layer> make_fused_layer(Device& device, const LayerSpec& lower,
                                                      const LayerPart& lower_part,
                                                      const LayerSpec& upper,
                                                      const LayerPart& upper_part);

}  // namespace convoy
