// cuDNN's handle, descriptors and errors.
#include "core/cuda/cudnn.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/cuda/cudnn_descriptor.h"
#include "core/error.h"

namespace convoy {

void check_cudnn(cudnnStatus_t code, const char* doing) {
  if (code == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 512> detail{};
  cudnnGetLastErrorString(detail.data(), detail.size());
  fail(ExitCode::rank_failed, "cuDNN failed while {}: {} ({})", doing, cudnnGetErrorString(code),
       detail.data());
}

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  check_cudnn(cudnnBackendCreateDescriptor(type, &raw_), "making a descriptor");
}
CudnnDescriptor::~CudnnDescriptor() {
  if (raw_ != nullptr) cudnnBackendDestroyDescriptor(raw_);
}
bool CudnnDescriptor::supported() { return cudnnBackendFinalize(raw_) == CUDNN_STATUS_SUCCESS; }
CudnnDescriptor& CudnnDescriptor::finalize() {
  check_cudnn(cudnnBackendFinalize(raw_), "describing a convolution");
  return *this;
}
std::vector<CudnnDescriptor> CudnnDescriptor::parts(cudnnBackendAttributeName_t name,
                                                    cudnnBackendDescriptorType_t type,
                                                    std::int64_t most) const {
  std::vector<CudnnDescriptor> all;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < most; ++i) raw.push_back(all.emplace_back(type).raw());
  std::int64_t count = 0;
  check_cudnn(
      cudnnBackendGetAttribute(raw_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, &count, raw.data()),
      "asking about a plan");
  all.erase(all.begin() + std::min(count, most), all.end());
  return all;
}

Cudnn::State::~State() {
  if (handle != nullptr) cudnnDestroy(handle);
}

Cudnn::Cudnn() : state_(std::make_unique<State>()) {
  check_cudnn(cudnnCreate(&state_->handle), "starting");
}
Cudnn::Cudnn(const std::string& gpu) : state_(std::make_unique<State>()) {
  state_->device.emplace(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  state_->device
      ->set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
            std::vector<char>(gpu.begin(), gpu.end()))
      .finalize();
}
Cudnn::~Cudnn() = default;

std::string Cudnn::version() const { return "cuDNN " + cudnn_library().found; }

LibraryVersion cudnn_library() {
  const std::size_t found = cudnnGetVersion();
  return {"cuDNN", fmt::format("{}.{}.{}", CUDNN_MAJOR, CUDNN_MINOR, CUDNN_PATCHLEVEL),
          fmt::format("{}.{}.{}", found / 10000, found / 100 % 100, found % 100)};
}

}  // namespace convoy
