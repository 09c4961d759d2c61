// Operations that have no body for the CUDA device yet.
#include "core/cuda/blaslt.h"
#include "core/cuda/cudnn.h"
#include "core/error.h"
#include "core/ops/operations_cuda.h"

namespace convoy {

namespace {
[[noreturn]] void missing() { fail(ExitCode::usage, "not yet on the GPU"); }
}  // namespace

std::unique_ptr<ConvOp> make_conv_cuda(const CudaContext&, const ConvSpec&) { missing(); }
std::unique_ptr<FullyConnectedOp> make_fully_connected_cuda(const CudaContext&,
                                                            const FullyConnectedSpec&) {
  missing();
}
struct Cudnn::State {};
struct BlasLt::State {};
Cudnn::Cudnn() = default;
Cudnn::~Cudnn() = default;
BlasLt::BlasLt() = default;
BlasLt::~BlasLt() = default;
double measure_product_rate(BlasLt&, Device&) { missing(); }

}  // namespace convoy
