// What kernels cannot say themselves.
#include "core/cuda/values.h"

#include "core/error.h"

namespace convoy {

void refuse_type() {
  fail(ExitCode::usage, "kernels of the GPU know activations of fp32 and bf16 only");
}

}  // namespace convoy
