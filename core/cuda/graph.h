// A repeated piece of work as a CUDA graph, so that its kernels follow each other without gaps.
#pragma once

#include <functional>

#include <cuda_runtime.h>

namespace convoy {

// Captures the work anew in each run and puts it into the graph that is there: pointers, rates and
// counters may differ from run to run, which costs the host no more than launching would. Where
// more differs, a new graph is made.
class CudaGraph {
 public:
  CudaGraph() = default;
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  // `work` queues on `stream`, and on others that wait for it and that it waits for in the end.
  void run(cudaStream_t stream, const std::function<void()>& work);

 private:
  void replace(cudaGraph_t graph);
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace convoy
