// What every operation shares: the call context and the rules of the contracts in this folder.
//
// Each header here states one operation; `NAME_cpu.cpp` beside it is its body for the CPU device.
// Operations are made once, when a network is planned, for fixed shapes; a call allocates nothing.
// Tensors are the caller's; unless a header says otherwise they must not overlap.
// Activations, their gradients, and the weights and biases that operations read have the device's
// activation_type(): fp32 on the CPU device, fp32 or bf16 on a GPU. Gradients of weights,
// parameters and whatever is summed over images are fp32 at least. Sums over a batch are sums,
// never means: the loss is divided by the global batch once (softmax_loss.h).
#pragma once

#include <cstddef>

#include "core/device.h"
#include "core/tensor.h"

namespace convoy {

struct OpContext {
  Stream& stream;
  void* workspace =
      nullptr;  // at least the operation's workspace_bytes(), shared by all operations
};

}  // namespace convoy
