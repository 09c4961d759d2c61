// Writes Caffe's description of a net.
#include "io/model/caffe_net.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/ops/pool.h"
#include "io/model/inference_net.h"

namespace convoy {
namespace {

std::uint32_t number(std::int64_t value) { return static_cast<std::uint32_t>(value); }

class NetBuilder {
 public:
  NetBuilder(caffe::Net& net, const NetSpec& spec) : net_(net) {
    for (const LayerSpec& layer : spec.layers) taken_.insert(layer.name);
    value_ = own("data");
  }

  // Reads what the layer before gave, and gives what has its own name.
  caffe::Layer& layer(const std::string& type, const std::string& name) {
    caffe::Layer& layer = bare(type, name);
    layer.add_bottom(value_);
    layer.add_top(name);
    value_ = name;
    return layer;
  }
  caffe::Layer& bare(const std::string& type, const std::string& name) {
    caffe::Layer& layer = *net_.add_layer();
    layer.set_name(name);
    layer.set_type(type);
    return layer;
  }
  void input(const NetSpec& net) {
    caffe::Layer& layer = bare("Input", value_);
    layer.add_top(value_);
    caffe::Extents& shape = *layer.mutable_input_param()->add_shape();
    for (const std::int64_t extent : {std::int64_t{1}, net.input.c, net.input.h, net.input.w})
      shape.add_dim(extent);
  }
  // As in Caffe's own file of AlexNet, relu1 follows conv1.
  void relu(const std::string& after, bool wanted) {
    if (!wanted) return;
    const std::size_t digits = std::min(after.find_first_of("0123456789"), after.size());
    layer("ReLU", own("relu" + after.substr(digits)));
  }
  // A name that nothing else has: this one where it is free.
  std::string own(std::string wanted) {
    while (!taken_.insert(wanted).second) wanted += '_';
    return wanted;
  }

 private:
  caffe::Net& net_;
  std::set<std::string> taken_;  // by layers, and by what they give
  std::string value_;
};

void add(NetBuilder& net, const LayerSpec& layer, const ConvLayer& conv) {
  if (conv.pad_begin != conv.pad_end) {
    fail(ExitCode::usage,
         "{} is padded by {} on one side and by {} on the other; a layer of Caffe has as much on "
         "both",
         layer.name, conv.pad_begin, conv.pad_end);
  }
  caffe::Convolution& to = *net.layer("Convolution", layer.name).mutable_convolution_param();
  to.set_num_output(number(conv.kernels));
  if (conv.pad_begin > 0) to.add_pad(number(conv.pad_begin));
  to.add_kernel_size(number(conv.kernel));
  if (conv.groups > 1) to.set_group(number(conv.groups));
  if (conv.stride > 1) to.add_stride(number(conv.stride));
  net.relu(layer.name, conv.relu);
}

void add(NetBuilder& net, const LayerSpec& layer, const FullyConnectedLayer& fc) {
  net.layer("InnerProduct", layer.name)
      .mutable_inner_product_param()
      ->set_num_output(number(fc.neurons));
  net.relu(layer.name, fc.relu);
}

void set(caffe::Lrn& to, const LrnLayer& norm) {
  to.set_local_size(number(norm.size));
  to.set_alpha(static_cast<float>(norm.alpha * static_cast<double>(norm.size)));  // divided there
  to.set_beta(static_cast<float>(norm.beta));
  to.set_k(static_cast<float>(norm.k));
}

void add(NetBuilder& net, const LayerSpec& layer, const LrnLayer& norm) {
  if (norm.groups == 1) {
    set(*net.layer("LRN", layer.name).mutable_lrn_param(), norm);
    return;
  }
  caffe::Layer& slice = net.layer("Slice", net.own(layer.name + "_slice"));
  slice.clear_top();
  std::vector<std::string> towers;
  for (std::int64_t group = 0; group < norm.groups; ++group)
    slice.add_top(net.own(fmt::format("{}_slice{}", layer.name, group)));
  for (const std::string& part : slice.top()) {
    towers.push_back(net.own(fmt::format("{}_tower{}", layer.name, towers.size())));
    caffe::Layer& tower = net.bare("LRN", towers.back());
    tower.add_bottom(part);
    tower.add_top(tower.name());
    set(*tower.mutable_lrn_param(), norm);
  }
  caffe::Layer& concat = net.layer("Concat", layer.name);
  concat.clear_bottom();
  for (const std::string& tower : towers) concat.add_bottom(tower);
}

void add(NetBuilder& net, const LayerSpec& layer, const SpatialNormLayer& norm) {
  if (norm.k != 1) {
    fail(ExitCode::usage, "{} adds {:g} to its sums; Caffe's normalisation within maps adds 1",
         layer.name, norm.k);
  }
  caffe::Lrn& to = *net.layer("LRN", layer.name).mutable_lrn_param();
  to.set_local_size(number(norm.size));
  // Divided there by the window's area.
  to.set_alpha(static_cast<float>(norm.alpha * static_cast<double>(norm.size * norm.size)));
  to.set_beta(static_cast<float>(norm.beta));
  to.set_norm_region(1);
}

void add(NetBuilder& net, const LayerSpec& layer, const PoolLayer& pool) {
  caffe::Pooling& to = *net.layer("Pooling", layer.name).mutable_pooling_param();
  to.set_pool(0);
  to.set_kernel_size(number(pool.kernel));
  to.set_stride(number(pool.stride));
  // Rounding down is a late addition to the format, which not all readers know: said where needed.
  const PoolSpec up{layer.in, pool.kernel, pool.stride, true};
  if (up.y() != layer.out) to.set_round_mode(1);
}

void add(NetBuilder& net, const LayerSpec& layer, const ReluLayer&) {
  net.layer("ReLU", layer.name);
}

void add(NetBuilder& net, const LayerSpec& layer, const DropoutLayer& drop) {
  net.layer("Dropout", layer.name)
      .mutable_dropout_param()
      ->set_dropout_ratio(static_cast<float>(drop.drop));
}

// Types as the old form numbers them.
std::string new_type(std::int32_t old) {
  switch (old) {
    case 1:
      return "Accuracy";
    case 3:
      return "Concat";
    case 4:
      return "Convolution";
    case 5:
      return "Data";
    case 6:
      return "Dropout";
    case 8:
      return "Flatten";
    case 9:
      return "HDF5Data";
    case 12:
      return "ImageData";
    case 14:
      return "InnerProduct";
    case 15:
      return "LRN";
    case 17:
      return "Pooling";
    case 18:
      return "ReLU";
    case 20:
      return "Softmax";
    case 21:
      return "SoftmaxWithLoss";
    case 22:
      return "Split";
    case 29:
      return "MemoryData";
    case 32:
      return "DummyData";
    case 33:
      return "Slice";
    default:
      return fmt::format("number {}", old);
  }
}

}  // namespace

caffe::Net caffe_net(const NetSpec& net) {
  caffe::Net described;
  described.set_name("convoy");
  NetBuilder builder(described, net);
  builder.input(net);
  for (const LayerSpec& layer : layers_with_dropout(net))
    std::visit([&](const auto& kind) { add(builder, layer, kind); }, layer.kind);
  return described;
}

caffe::Net as_new_form(caffe::Net&& net) {
  for (caffe::OldLayer& old : *net.mutable_layers()) {
    caffe::Layer& layer = *net.add_layer();
    layer.set_name(old.name());
    layer.set_type(new_type(old.type()));
    layer.mutable_blobs()->Swap(old.mutable_blobs());
    if (old.has_convolution_param())
      layer.mutable_convolution_param()->Swap(old.mutable_convolution_param());
    if (old.has_inner_product_param())
      layer.mutable_inner_product_param()->Swap(old.mutable_inner_product_param());
    if (old.has_lrn_param()) layer.mutable_lrn_param()->Swap(old.mutable_lrn_param());
    if (old.has_pooling_param()) layer.mutable_pooling_param()->Swap(old.mutable_pooling_param());
  }
  net.clear_layers();
  return std::move(net);
}

}  // namespace convoy
