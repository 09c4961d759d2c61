// Streams and events of a GPU.
#pragma once

#include <cuda_runtime.h>

#include "core/device.h"

namespace convoy {

class CudaStream : public Stream {
 public:
  CudaStream();
  ~CudaStream() override;
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  void synchronize() override;
  [[nodiscard]] bool done() const;  // all work queued so far
  [[nodiscard]] cudaStream_t native() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class CudaEvent : public Event {
 public:
  explicit CudaEvent(bool timed);
  ~CudaEvent() override;
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  void record(Stream& stream) override;
  void wait_on(Stream& stream) override;
  void synchronize() override;
  [[nodiscard]] double milliseconds_since(const Event& earlier) const override;

 private:
  cudaEvent_t event_ = nullptr;
  bool timed_;
};

// `stream` is one that a CUDA device made.
[[nodiscard]] inline cudaStream_t native(Stream& stream) {
  return static_cast<CudaStream&>(stream).native();
}

}  // namespace convoy
