// cuDNN for one GPU: convolution passes as execution plans of its graph API (conv_pass.h).
#pragma once

#include <memory>
#include <string>

#include "core/libraries.h"

namespace convoy {

[[nodiscard]] LibraryVersion cudnn_library();

class Cudnn {
 public:
  Cudnn();  // for the GPU in use
  // Without a GPU: plans are made for the one that this JSON text describes, and cannot run.
  explicit Cudnn(const std::string& gpu);
  ~Cudnn();
  Cudnn(const Cudnn&) = delete;
  Cudnn& operator=(const Cudnn&) = delete;

  [[nodiscard]] std::string version() const;  // "cuDNN 9.19.0"

  struct State;
  [[nodiscard]] State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace convoy
