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
