// One sentence for an error of the CUDA runtime.
#include "core/cuda/check.h"

#include "core/error.h"

namespace convoy {

void check_cuda(cudaError_t code, const char* doing) {
  if (code == cudaSuccess) return;
  int device = -1;
  if (cudaGetDevice(&device) != cudaSuccess) device = -1;
  fail(ExitCode::rank_failed, "GPU {} failed while {}: {} ({})", device, doing,
       cudaGetErrorString(code), cudaGetErrorName(code));
}

}  // namespace convoy
