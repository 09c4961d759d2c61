// How values spread in each layer of a net, in a pass: what signal comes through it, and what of
// the loss's gradient comes back.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/net/network.h"
#include "dist/step/session.h"

namespace convoy {

struct ValueSpread {
  double mean = 0;
  double deviation = 0;  // of all values about that mean
  // Root of the mean, over places of an image, of the variance from image to image: what of the
  // deviation tells images apart. 0 for parameters.
  double between_images = 0;
  double zeros = 0;  // share of values that are exactly 0
};
// `values`: [images, per_image].
[[nodiscard]] ValueSpread value_spread(std::span<const float> values, std::size_t images);

struct LayerSpread {
  std::string layer;
  ValueSpread output;
  ValueSpread gradient;  // of the loss by the output, where backward takes it up
  bool weighs = false;   // the layer has weights
  ValueSpread weights;
  ValueSpread weight_gradient;
};

// Watches one forward and one backward pass of a session's network. Each layer is waited for, and
// its tensors are copied to the host.
class SpreadObserver : public LayerObserver {
 public:
  explicit SpreadObserver(Session& session);
  void begin(std::size_t layer, bool backward) override;
  void end(std::size_t layer, bool backward) override;
  // In the order of the network's layers.
  [[nodiscard]] const std::vector<LayerSpread>& layers() const { return layers_; }

 private:
  [[nodiscard]] ValueSpread spread(const Tensor& tensor, std::int64_t images);

  Session& session_;
  std::vector<float> host_;
  std::vector<LayerSpread> layers_;
};

}  // namespace convoy
