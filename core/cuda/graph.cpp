// Capture, update, launch.
#include "core/cuda/graph.h"

#include "core/cuda/check.h"

namespace convoy {
namespace {

// Ends the capture of a piece of work that failed, so that the stream can be used again.
void abandon(cudaStream_t stream) {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream, &graph) == cudaSuccess && graph != nullptr)
    cudaGraphDestroy(graph);
  static_cast<void>(cudaGetLastError());
}

}  // namespace

CudaGraph::~CudaGraph() {
  if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
}

void CudaGraph::run(cudaStream_t stream, const std::function<void()>& work) {
  check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
             "beginning to capture a step");
  try {
    work();
  } catch (...) {
    abandon(stream);
    throw;
  }
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamEndCapture(stream, &graph), "capturing a step");
  cudaGraphExecUpdateResultInfo info{};
  if (exec_ == nullptr || cudaGraphExecUpdate(exec_, graph, &info) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    replace(graph);
  }
  check_cuda(cudaGraphDestroy(graph), "capturing a step");
  check_cuda(cudaGraphLaunch(exec_, stream), "starting a step's graph");
}

void CudaGraph::replace(cudaGraph_t graph) {
  if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
  exec_ = nullptr;
  check_cuda(cudaGraphInstantiate(&exec_, graph, 0), "making a step's graph");
}

}  // namespace convoy
