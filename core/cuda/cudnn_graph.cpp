// Forward: convolution, bias, ReLU. Data: gradient, then ReLU's mask. Weights: the gradient alone.
//
// What lies between operations is virtual: fp32 that never reaches memory.
#include "core/cuda/cudnn_graph.h"

namespace convoy {
namespace {

cudnnDataType_t type_of(DType type) {
  return type == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

CudnnDescriptor convolution(const ConvPass& pass) {
  const auto both = [](std::int64_t v) { return std::vector<std::int64_t>{v, v}; };
  CudnnDescriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2)
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, both(1))
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, both(pass.stride))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, both(pass.pad_begin))
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, both(pass.pad_end))
      .finalize();
  return d;
}

}  // namespace

CudnnDescriptor CudnnGraph::tensor(CudnnTensor name, const Shape& s, std::int64_t pixel, DType type,
                                   bool is_virtual) const {
  CudnnDescriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, type_of(type))
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64,
           std::vector<std::int64_t>{s.n, s.c, s.h, s.w})
      .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
           std::vector<std::int64_t>{s.h * s.w * pixel, 1, s.w * pixel, pixel})
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, static_cast<std::int64_t>(name))
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, pass_.alignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, is_virtual)
      .finalize();
  return d;
}

void CudnnGraph::add_pointwise(cudnnPointwiseMode_t mode, const CudnnDescriptor& in,
                               const CudnnDescriptor* other, const CudnnDescriptor& out) {
  const bool backward = mode == CUDNN_POINTWISE_RELU_BWD;
  CudnnDescriptor kind(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  kind.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .finalize();
  CudnnDescriptor& d = operations_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, kind);
  if (backward) {
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, in)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *other)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, out);
  } else {
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, in);
    if (other != nullptr) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *other);
    d.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, out);
  }
  d.finalize();
}

void CudnnGraph::add_forward(const CudnnDescriptor& conv) {
  const auto sum = [&](int i) {
    const auto name = static_cast<CudnnTensor>(static_cast<int>(CudnnTensor::first_virtual) + i);
    return tensor(name, pass_.y, pass_.y.c, DType::f32, true);
  };
  const CudnnDescriptor products = sum(0);
  const CudnnDescriptor y = tensor(CudnnTensor::y, pass_.y, pass_.y_pixel, pass_.type);
  const CudnnDescriptor b = tensor(CudnnTensor::b, {1, 1, 1, pass_.y.c}, pass_.y.c, pass_.type);
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 0.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, conv)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
           tensor(CudnnTensor::x, pass_.x, pass_.x_pixel, pass_.type))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
           tensor(CudnnTensor::w, pass_.weights(), pass_.weights().c, pass_.type))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, products)
      .finalize();
  if (!pass_.relu) return add_pointwise(CUDNN_POINTWISE_ADD, products, &b, y);
  const CudnnDescriptor with_bias = sum(1);
  add_pointwise(CUDNN_POINTWISE_ADD, products, &b, with_bias);
  add_pointwise(CUDNN_POINTWISE_RELU_FWD, with_bias, nullptr, y);
}

void CudnnGraph::add_data(const CudnnDescriptor& conv) {
  const CudnnDescriptor dx = tensor(CudnnTensor::x, pass_.x, pass_.x_pixel, pass_.type);
  const CudnnDescriptor sums =
      tensor(CudnnTensor::first_virtual, pass_.x, pass_.x_pixel, DType::f32, true);
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_TYPE_FLOAT, 1.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, CUDNN_TYPE_FLOAT, 0.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, conv)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
           tensor(CudnnTensor::w, pass_.weights(), pass_.weights().c, pass_.type))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
           tensor(CudnnTensor::y, pass_.y, pass_.y_pixel, pass_.type))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, pass_.mask ? sums : dx)
      .finalize();
  if (!pass_.mask) return;
  const CudnnDescriptor mask = tensor(CudnnTensor::mask, pass_.x, pass_.x_pixel, pass_.type);
  add_pointwise(CUDNN_POINTWISE_RELU_BWD, sums, &mask, dx);
}

void CudnnGraph::add_weights(const CudnnDescriptor& conv) {
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_TYPE_FLOAT, 1.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, CUDNN_TYPE_FLOAT, 0.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, conv)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
           tensor(CudnnTensor::x, pass_.x, pass_.x_pixel, pass_.type))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
           tensor(CudnnTensor::y, pass_.y, pass_.y_pixel, pass_.type))
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
           tensor(CudnnTensor::w, pass_.weights(), pass_.weights().c, pass_.gradient_type))
      .finalize();
}

CudnnGraph::CudnnGraph(const Cudnn::State& state, const ConvPass& pass)
    : pass_(pass), graph_(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR) {
  const CudnnDescriptor conv = convolution(pass);
  if (pass.kind == ConvPass::Kind::forward) add_forward(conv);
  if (pass.kind == ConvPass::Kind::data) add_data(conv);
  if (pass.kind == ConvPass::Kind::weights) add_weights(conv);
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const CudnnDescriptor& operation : operations_) raw.push_back(operation.raw());
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw);
  if (state.handle != nullptr)
    graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, state.handle);
  supported_ = graph_.supported();
}

}  // namespace convoy
