// Builds the graph node by node. Weights are initialisers of the names that PyTorch gives them.
#include "io/model/onnx.h"

#include <algorithm>

#include <fmt/format.h>
#include <onnx.pb.h>

#include "io/model/inference_net.h"
#include "io/model/message_file.h"

namespace convoy {
namespace {

constexpr std::int64_t kIrVersion = 7;  // that of the operator set's time
constexpr std::int64_t kOperatorSet = 13;
constexpr std::int32_t kFloat = 1;  // of element types
enum AttributeType : std::int32_t { kFloatAttribute = 1, kIntAttribute = 2, kIntsAttribute = 7 };

class GraphBuilder {
 public:
  explicit GraphBuilder(onnx::Graph& graph) : graph_(graph) {}

  [[nodiscard]] const std::string& value() const { return value_; }  // the last layer's output

  [[nodiscard]] bool maps() const { return maps_; }  // not yet rows of numbers
  void flattened() { maps_ = false; }

  // A node that reads `inputs`; what it gives has its name.
  onnx::Node& node(const std::string& type, const std::string& name,
                   const std::vector<std::string>& inputs) {
    onnx::Node& node = *graph_.add_node();
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(name);
    node.set_name(name);
    node.set_op_type(type);
    value_ = name;
    return node;
  }
  void initialiser(const std::string& name, const std::vector<std::int64_t>& extents,
                   const std::vector<float>& values) {
    onnx::Tensor& tensor = *graph_.add_initializer();
    for (const std::int64_t extent : extents) tensor.add_dims(extent);
    tensor.set_data_type(kFloat);
    tensor.set_name(name);
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));
  }
  std::string scalar(const std::string& name, double value) {
    initialiser(name, {}, {static_cast<float>(value)});
    return name;
  }

 private:
  onnx::Graph& graph_;
  std::string value_ = "input";
  bool maps_ = true;
};

void set(onnx::Node& node, const char* name, std::int64_t value) {
  onnx::Attribute& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(kIntAttribute);
  attribute.set_i(value);
}
void set(onnx::Node& node, const char* name, double value) {
  onnx::Attribute& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(kFloatAttribute);
  attribute.set_f(static_cast<float>(value));
}
void set(onnx::Node& node, const char* name, const std::vector<std::int64_t>& values) {
  onnx::Attribute& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(kIntsAttribute);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void add_relu(GraphBuilder& graph, const std::string& layer, bool wanted) {
  if (wanted) graph.node("Relu", layer + ".relu", {graph.value()});
}

void add(GraphBuilder& graph, const LayerSpec& layer, const ConvLayer& conv) {
  onnx::Node& node =
      graph.node("Conv", layer.name, {graph.value(), layer.name + ".weight", layer.name + ".bias"});
  set(node, "kernel_shape", {conv.kernel, conv.kernel});
  set(node, "strides", {conv.stride, conv.stride});
  set(node, "pads", {conv.pad_begin, conv.pad_begin, conv.pad_end, conv.pad_end});
  set(node, "group", conv.groups);
  add_relu(graph, layer.name, conv.relu);
}

void add(GraphBuilder& graph, const LayerSpec& layer, const FullyConnectedLayer& fc) {
  if (graph.maps()) {  // flattened they lie C, H, W
    set(graph.node("Flatten", layer.name + ".flatten", {graph.value()}), "axis", std::int64_t{1});
    graph.flattened();
  }
  onnx::Node& node =
      graph.node("Gemm", layer.name, {graph.value(), layer.name + ".weight", layer.name + ".bias"});
  set(node, "transB", std::int64_t{1});
  add_relu(graph, layer.name, fc.relu);
}

void add_lrn(GraphBuilder& graph, const std::string& name, const std::string& input,
             const LrnLayer& norm) {
  onnx::Node& node = graph.node("LRN", name, {input});
  set(node, "size", norm.size);
  set(node, "alpha", norm.alpha * static_cast<double>(norm.size));  // ONNX divides it by the size
  set(node, "beta", norm.beta);
  set(node, "bias", norm.k);
}

// Windows end at the edge of a group, which the operator does not know: each group is normalised by
// itself.
void add(GraphBuilder& graph, const LayerSpec& layer, const LrnLayer& norm) {
  if (norm.groups == 1) {
    add_lrn(graph, layer.name, graph.value(), norm);
    return;
  }
  onnx::Node& split = graph.node("Split", layer.name + ".split", {graph.value()});
  set(split, "axis", std::int64_t{1});
  split.clear_output();
  std::vector<std::string> towers;
  for (std::int64_t group = 0; group < norm.groups; ++group) {
    split.add_output(fmt::format("{}.split{}", layer.name, group));
    towers.push_back(fmt::format("{}.tower{}", layer.name, group));
  }
  for (std::size_t group = 0; group < towers.size(); ++group)
    add_lrn(graph, towers[group], fmt::format("{}.split{}", layer.name, group), norm);
  set(graph.node("Concat", layer.name, towers), "axis", std::int64_t{1});
}

// x / (k + alpha * sum)^beta; the sum is a mean over the window, zeros around counted, times its
// area.
void add(GraphBuilder& graph, const LayerSpec& layer, const SpatialNormLayer& norm) {
  const std::string input = graph.value();
  const std::string& name = layer.name;
  const std::int64_t edge = norm.size / 2;
  graph.node("Mul", name + ".squares", {input, input});
  onnx::Node& mean = graph.node("AveragePool", name + ".means", {graph.value()});
  set(mean, "kernel_shape", {norm.size, norm.size});
  set(mean, "pads", {edge, edge, edge, edge});
  set(mean, "count_include_pad", std::int64_t{1});
  const auto area = static_cast<double>(norm.size * norm.size);
  graph.node("Mul", name + ".scaled",
             {graph.value(), graph.scalar(name + ".alpha", norm.alpha * area)});
  graph.node("Add", name + ".shifted", {graph.value(), graph.scalar(name + ".k", norm.k)});
  graph.node("Pow", name + ".power", {graph.value(), graph.scalar(name + ".beta", norm.beta)});
  graph.node("Div", name, {input, graph.value()});
}

void add(GraphBuilder& graph, const LayerSpec& layer, const PoolLayer& pool) {
  onnx::Node& node = graph.node("MaxPool", layer.name, {graph.value()});
  set(node, "kernel_shape", {pool.kernel, pool.kernel});
  set(node, "strides", {pool.stride, pool.stride});
  set(node, "ceil_mode", std::int64_t{pool.round_up ? 1 : 0});
}

void add(GraphBuilder& graph, const LayerSpec& layer, const ReluLayer&) {
  graph.node("Relu", layer.name, {graph.value()});
}

void add(GraphBuilder&, const LayerSpec&, const DropoutLayer&) {}  // inference_layers() has none

void describe(onnx::ValueInfo& info, const std::string& name,
              const std::vector<std::int64_t>& extents) {
  info.set_name(name);
  onnx::TensorType& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(kFloat);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t extent : extents) type.mutable_shape()->add_dim()->set_dim_value(extent);
}

}  // namespace

void write_onnx(const std::filesystem::path& path, const OutgoingModel& model, bool softmax) {
  onnx::Model file;
  file.set_ir_version(kIrVersion);
  file.set_producer_name("convoy");
  onnx::OperatorSet& operators = *file.add_opset_import();
  operators.set_domain("");
  operators.set_version(kOperatorSet);
  onnx::Graph& graph = *file.mutable_graph();
  graph.set_name("convoy");
  describe(*graph.add_input(), "input", {model.net.input.c, model.net.input.h, model.net.input.w});
  GraphBuilder builder(graph);
  for (const TensorPlace& place : model.places)
    builder.initialiser(place.name, place.extents, model.values(place));
  for (const InferenceLayer& layer : inference_layers(model.net))
    std::visit([&](const auto& kind) { add(builder, layer.spec, kind); }, layer.spec.kind);
  std::string output = softmax ? "probabilities" : "logits";
  while (std::ranges::find(model.net.layers, output, &LayerSpec::name) != model.net.layers.end())
    output += '_';
  if (softmax) {
    set(builder.node("Softmax", output, {builder.value()}), "axis", std::int64_t{1});
  } else {
    builder.node("Identity", output, {builder.value()});
  }
  describe(*graph.add_output(), output, {model.net.classes});
  for (const auto& [key, value] : model.metadata) {
    onnx::Property& property = *file.add_metadata_props();
    property.set_key(key);
    property.set_value(value);
  }
  write_message(path, file);
}

}  // namespace convoy
