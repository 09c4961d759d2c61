// What every operation of the CUDA device needs to be made.
#pragma once

#include <cstddef>

#include "core/device.h"

namespace convoy {

class Cudnn;   // core/cuda/cudnn.h
class BlasLt;  // core/cuda/blaslt.h

struct CudaContext {
  Device& device;
  Precision precision;
  bool deterministic;           // only kernels that always sum in one order
  std::size_t workspace_limit;  // bytes that one operation may ask for at most
  KernelChoices& choices;
  Cudnn& cudnn;
  BlasLt& blas;

  [[nodiscard]] DType type() const { return device.activation_type(); }
};

}  // namespace convoy
