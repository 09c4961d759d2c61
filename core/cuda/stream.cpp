// Streams and events over the CUDA runtime.
#include "core/cuda/stream.h"

#include "core/cuda/check.h"

namespace convoy {

// Nonblocking: nothing of ours runs on the default stream, and what a library does there must not
// hold ours up.
CudaStream::CudaStream() {
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}
CudaStream::~CudaStream() { cudaStreamDestroy(stream_); }
void CudaStream::synchronize() {
  check_cuda(cudaStreamSynchronize(stream_), "waiting for its queued work");
}
bool CudaStream::done() const {
  const cudaError_t code = cudaStreamQuery(stream_);
  if (code == cudaErrorNotReady) return false;
  check_cuda(code, "running its queued work");
  return true;
}

CudaEvent::CudaEvent(bool timed) : timed_(timed) {
  const unsigned flags = timed ? cudaEventDefault : cudaEventDisableTiming;
  check_cuda(cudaEventCreateWithFlags(&event_, flags), "making an event");
}
CudaEvent::~CudaEvent() { cudaEventDestroy(event_); }

void CudaEvent::record(Stream& stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(native(stream), &status), "asking for a capture");
  // Within a captured graph the mark of a timed event is a node; others order streams there.
  const bool node = timed_ && status != cudaStreamCaptureStatusNone;
  const unsigned flags = node ? cudaEventRecordExternal : cudaEventRecordDefault;
  check_cuda(cudaEventRecordWithFlags(event_, native(stream), flags), "recording an event");
}
void CudaEvent::wait_on(Stream& stream) {
  check_cuda(cudaStreamWaitEvent(native(stream), event_, 0), "waiting for an event");
}
void CudaEvent::synchronize() { check_cuda(cudaEventSynchronize(event_), "waiting for an event"); }
double CudaEvent::milliseconds_since(const Event& earlier) const {
  float ms = 0;
  check_cuda(cudaEventElapsedTime(&ms, static_cast<const CudaEvent&>(earlier).event_, event_),
             "timing its work");
  return static_cast<double>(ms);
}

}  // namespace convoy
