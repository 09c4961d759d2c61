// Owners of cuDNN's handle and backend descriptors, and the one way its errors take.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <cudnn.h>

#include "core/cuda/cudnn.h"

namespace convoy {

// Throws Error(rank_failed) saying what was being done and what cuDNN says of it.
void check_cudnn(cudnnStatus_t code, const char* doing);

class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  [[nodiscard]] cudnnBackendDescriptor_t raw() const { return raw_; }

  template <typename T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                       const std::vector<T>& values) {
    check_cudnn(cudnnBackendSetAttribute(raw_, name, type, static_cast<std::int64_t>(values.size()),
                                         values.data()),
                "describing a convolution");
    return *this;
  }
  template <typename T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                       const T& value) {
    check_cudnn(cudnnBackendSetAttribute(raw_, name, type, 1, &value), "describing a convolution");
    return *this;
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& value) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, value.raw_);
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, std::int64_t value) {
    return set(name, CUDNN_TYPE_INT64, value);
  }

  template <typename T>
  [[nodiscard]] std::vector<T> get(cudnnBackendAttributeName_t name,
                                   cudnnBackendAttributeType_t type, std::int64_t most) const {
    std::vector<T> values(static_cast<std::size_t>(most));
    std::int64_t count = 0;
    check_cudnn(cudnnBackendGetAttribute(raw_, name, type, most, &count, values.data()),
                "asking about a plan");
    values.resize(static_cast<std::size_t>(count < most ? count : most));
    return values;
  }
  // Descriptors within this one, `most` at most.
  [[nodiscard]] std::vector<CudnnDescriptor> parts(cudnnBackendAttributeName_t name,
                                                   cudnnBackendDescriptorType_t type,
                                                   std::int64_t most) const;

  // False where cuDNN does not support what was described.
  [[nodiscard]] bool supported();
  CudnnDescriptor& finalize();

 private:
  cudnnBackendDescriptor_t raw_ = nullptr;
};

struct Cudnn::State {
  State() = default;
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  cudnnHandle_t handle = nullptr;         // where there is a GPU
  std::optional<CudnnDescriptor> device;  // where one is described

  // Tells a descriptor which GPU it is for.
  void set_device(CudnnDescriptor& descriptor, cudnnBackendAttributeName_t device_name) const {
    if (device) descriptor.set(device_name, *device);
  }
};

}  // namespace convoy
