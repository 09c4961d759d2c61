// Nets whose tensors other programs know by fixed names, so that only the same net can use them.
#pragma once

#include "core/net/spec.h"
#include "io/model/tensor_places.h"

namespace convoy {

// Returns where `names` stand for any net, or where this one computes what theirs does. Throws
// Error(usage), naming the first layer that differs and what it would be there. The number of
// classes may differ.
void require_known_net(const NetSpec& net, TensorNames names);

}  // namespace convoy
