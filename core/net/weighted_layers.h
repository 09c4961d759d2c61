// The layers with weights.
#pragma once

#include <memory>

#include "core/net/layer.h"

namespace convoy {

// The operation of the kernels held here.
[[nodiscard]] ConvSpec conv_spec(const LayerSpec& spec, const ConvLayer& conv,
                                 const LayerPart& part);

[[nodiscard]] std::unique_ptr<Layer> make_convolution(Device& device, const LayerSpec& spec,
                                                      const ConvLayer& conv, const LayerPart& part);
[[nodiscard]] std::unique_ptr<Layer> make_fully_connected(Device& device, const LayerSpec& spec,
                                                          const FullyConnectedLayer& fc,
                                                          const LayerPart& part);

}  // namespace convoy
