// cuBLASLt for one GPU: matrix products with epilogues (product.h).
#pragma once

#include <memory>
#include <string>

#include "core/device.h"

namespace convoy {

class BlasLt {
 public:
  BlasLt();
  ~BlasLt();
  BlasLt(const BlasLt&) = delete;
  BlasLt& operator=(const BlasLt&) = delete;

  [[nodiscard]] std::string version() const;  // "cuBLASLt 13.1.0"

  struct State;
  [[nodiscard]] State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// GFLOP/s of a large product in the device's precision: the best of a few.
[[nodiscard]] double measure_product_rate(BlasLt& blas, Device& device);

}  // namespace convoy
