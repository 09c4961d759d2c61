// A PyTorch module as source text: the net that weights under the names `torch` fit.
#pragma once

#include <string>

#include "core/net/spec.h"

namespace convoy {

// A Python file with the class Net, whose state_dict() has the names of TensorNames::torch, and a
// function load(path) that fills it from a safetensors file (`weights` by default). Throws
// Error(usage) for a layer's name that no module of PyTorch's may have.
[[nodiscard]] std::string torch_module(const NetSpec& net, const std::string& weights);

}  // namespace convoy
