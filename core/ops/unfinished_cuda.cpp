// Operations that have no body for the CUDA device yet.
#include "core/error.h"
#include "core/ops/operations_cuda.h"

namespace convoy {

namespace {
[[noreturn]] void missing() { fail(ExitCode::usage, "not yet on the GPU"); }
}  // namespace

std::unique_ptr<SpatialNormOp> make_spatial_norm_cuda(const CudaContext&, const SpatialNormSpec&) {
  missing();
}
std::unique_ptr<SoftmaxLossOp> make_softmax_loss_cuda(const CudaContext&, std::int64_t) {
  missing();
}
std::unique_ptr<UpdateOp> make_update_cuda(const CudaContext&) { missing(); }
std::unique_ptr<PrepareInputOp> make_prepare_input_cuda(const CudaContext&,
                                                        const PrepareInputSpec&) {
  missing();
}
std::unique_ptr<ChannelPartsOp> make_channel_parts_cuda(const CudaContext&,
                                                        const ChannelPartsSpec&) {
  missing();
}

}  // namespace convoy
