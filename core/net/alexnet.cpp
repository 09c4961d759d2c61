// Builds AlexNet from its options: Krizhevsky et al. 2012, section 3.5 and figure 2, and the
// variants of the other recipes.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/net/spec.h"
#include "core/ops/conv.h"
#include "core/ops/pool.h"

namespace convoy {
namespace {

// Appends layers one by one and keeps track of the activation's shape.
class Builder {
 public:
  explicit Builder(const ModelOptions& options) : options_(options) {
    net_.input = {1, options.input, options.input, 3};
    net_.towers = options.towers;
    net_.classes = options.classes > 0 ? options.classes : 1000;
    shape_ = net_.input;
  }

  // `reads_all`: kernels read both towers' maps (paper, figure 2). `index` counts conv1 = 0.
  void conv(std::size_t index, std::int64_t kernel, std::int64_t stride, std::int64_t pad,
            std::int64_t pad_end, bool reads_all, bool relu) {
    const std::string name = "conv" + std::to_string(index + 1);
    const std::int64_t kernels = scaled(options_.kernels[index]);
    if (shape_.h + pad + pad_end < kernel) too_small(name);
    const ConvLayer layer{kernels, kernel,
                          stride,  pad,
                          pad_end, reads_all ? 1 : options_.towers,
                          relu,    {options_.weight_std[index], options_.bias[index], false}};
    const ConvSpec shapes{shape_, kernels, kernel, stride, pad, pad_end, layer.groups};
    append(name, layer, shapes.y());
  }

  void fully_connected(std::size_t index, std::int64_t neurons, bool relu) {
    const double spread = options_.fc_uniform ? 1 / std::sqrt(static_cast<double>(shape_.per_row()))
                                              : options_.weight_std[index];
    const FullyConnectedLayer layer{
        neurons,
        relu,
        {spread, options_.fc_uniform ? 0 : options_.bias[index], options_.fc_uniform}};
    append("fc" + std::to_string(index + 1), layer, {1, 1, 1, neurons});
  }

  void response_norm(int number) {
    const double divisor =
        options_.lrn_alpha_divided ? static_cast<double>(options_.lrn_size) : 1.0;
    append("norm" + std::to_string(number),
           LrnLayer{options_.lrn_size, options_.lrn_alpha / divisor, options_.lrn_beta,
                    options_.lrn_k, options_.lrn_scope == "tower" ? options_.towers : 1},
           shape_);
  }

  void spatial_norm(int number) {
    append("spatial-norm" + std::to_string(number), SpatialNormLayer{}, shape_);
  }

  void pool(int number) {
    const std::string name = "pool" + std::to_string(number);
    const PoolSpec spec{shape_, 3, 2, options_.pool_round_up};
    if (spec.y().h < 1) too_small(name);
    append(name, PoolLayer{spec.kernel, spec.stride, spec.round_up}, spec.y());
  }

  void relu(int number) { append("relu" + std::to_string(number), ReluLayer{}, shape_); }

  void dropout(int number) {
    const double keep = 1 - options_.drop;
    append("drop" + std::to_string(number),
           DropoutLayer{options_.drop, options_.drop_inverted ? 1 / keep : 1,
                        options_.drop_inverted ? 1 : keep, static_cast<std::uint32_t>(number)},
           shape_);
  }

  [[nodiscard]] std::int64_t scaled(std::int64_t full) const {
    const std::int64_t unit = 8 * options_.towers;
    const double wanted = static_cast<double>(full) * options_.width / static_cast<double>(unit);
    return std::max<std::int64_t>(1, std::llround(wanted)) * unit;
  }

  NetSpec take() { return std::move(net_); }
  [[nodiscard]] std::int64_t classes() const { return net_.classes; }

 private:
  template <typename Layer>
  void append(const std::string& name, const Layer& layer, const Shape& out) {
    net_.layers.push_back({name, layer, shape_, out});
    shape_ = out;
  }

  [[noreturn]] void too_small(const std::string& layer) const {
    fail(ExitCode::usage,
         "model.input {0} is too small: {1} gets {2}x{2} maps; use a larger model.input (227 for "
         "ImageNet) or a smaller model.conv1-stride and model.conv1-kernel (1 and 5 for 32x32 "
         "images)",
         options_.input, layer, shape_.h);
  }

  const ModelOptions& options_;
  NetSpec net_;
  Shape shape_;
};

void check(const ModelOptions& o) {
  if (o.towers != 1 && o.towers != 2) {
    fail(ExitCode::usage, "model.towers is {}; AlexNet has 1 or 2 towers", o.towers);
  }
  if (o.lrn_size < 1 || o.lrn_size % 2 == 0) {
    fail(ExitCode::usage, "model.lrn-size is {}; the window needs an odd number of maps",
         o.lrn_size);
  }
  if (o.order != "relu-norm-pool" && o.order != "2012") {
    fail(ExitCode::usage, "model.order is '{}'; use relu-norm-pool or 2012", o.order);
  }
  if (o.lrn_scope != "tower" && o.lrn_scope != "all") {
    fail(ExitCode::usage, "model.lrn-scope is '{}'; use tower or all", o.lrn_scope);
  }
  if (o.drop < 0 || o.drop >= 1) {
    fail(ExitCode::usage, "model.drop is {}; it is a probability, at least 0 and below 1", o.drop);
  }
  if (o.width <= 0 || o.input < 1 || o.conv1_kernel < 1 || o.conv1_stride < 1) {
    fail(ExitCode::usage,
         "model.width, model.input, model.conv1-kernel and model.conv1-stride must be positive");
  }
}

}  // namespace

NetSpec build_alexnet(const ModelOptions& options) {
  check(options);
  const bool relu_last = options.order == "2012";
  Builder net(options);
  if (net.classes() < options.towers) {
    fail(ExitCode::usage,
         "the outputs of fc8, of which there are {}, cannot be split over {} towers; set "
         "model.towers to 1, or model.classes to at least {}",
         net.classes(), options.towers, options.towers);
  }

  net.conv(0, options.conv1_kernel, options.conv1_stride, options.conv1_pad,
           options.conv1_pad + options.conv1_pad_end, true, !relu_last);
  net.response_norm(1);
  net.pool(1);
  if (relu_last) net.relu(1);

  net.conv(1, 5, 1, 2, 2, false, true);
  net.response_norm(2);
  if (options.spatial_norm) net.spatial_norm(2);
  net.pool(2);

  net.conv(2, 3, 1, 1, 1, true, true);
  net.conv(3, 3, 1, 1, 1, false, true);
  net.conv(4, 3, 1, 1, 1, false, !relu_last);
  net.pool(5);
  if (relu_last) net.relu(5);

  const bool drop = options.drop > 0;
  for (int layer : {6, 7}) {
    if (drop && options.drop_before) net.dropout(layer);
    const auto index = static_cast<std::size_t>(layer);
    net.fully_connected(index - 1, net.scaled(options.neurons[index - 6]), true);
    if (drop && !options.drop_before) net.dropout(layer);
  }
  net.fully_connected(7, net.classes(), false);
  return net.take();
}

}  // namespace convoy
