// Fully connected layers on a GPU: cuBLASLt's products, picked by timing.
#include <algorithm>

#include "core/cuda/column_sums.h"
#include "core/cuda/product.h"
#include "core/cuda/quickest.h"
#include "core/cuda/stream.h"
#include "core/error.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

constexpr int kPlans = 8;
constexpr std::size_t kWorkspace = 64000000;  // bytes; products gain nothing by more

std::unique_ptr<ProductPlan> chosen(const CudaContext& context, const Product& product) {
  const std::size_t limit = std::min(kWorkspace, context.workspace_limit);
  const std::string work = work_name(context, "product " + product.text(), context.blas.version());
  if (const auto known = context.choices.of(work)) {
    std::unique_ptr<ProductPlan> plan = make_product_plan(context.blas, product, limit, *known);
    if (!plan) refuse_choice(work, *known);
    return plan;
  }
  auto all = make_product_plans(context.blas, product, limit, kPlans);
  if (all.empty())
    fail(ExitCode::resource,
         "cuBLASLt has no algorithm for the product {} within {} MB of work "
         "memory; give it more by --device.workspace-mb",
         product.text(), limit / 1000000);
  std::size_t best = 0;
  if (all.size() > 1) {
    const auto buffer = [&](std::int64_t count, DType type) {
      return context.device.allocate(static_cast<std::size_t>(count) * size_of(type));
    };
    const Buffer a = buffer(product.m * product.k, product.type);
    const Buffer b = buffer(product.k * product.n, product.type);
    const Buffer bias = buffer(product.n, product.type);
    const Buffer c = buffer(product.m * product.n, product.result_type);
    const Buffer workspace = context.device.allocate(limit);
    const ProductPointers at{a.data(), b.data(), product.bias ? bias.data() : nullptr, c.data()};
    best = quickest(context.device, all.size(), [&](std::size_t i, Stream& stream) {
      all[i]->run(native(stream), at, workspace.data());
    });
  }
  context.choices.set(work, all[best]->name());
  return std::move(all[best]);
}

// y = x w^T + b, dx = dy w, dw = dy^T x.
class FullyConnectedCuda : public FullyConnectedOp {
 public:
  FullyConnectedCuda(const CudaContext& context, const FullyConnectedSpec& spec)
      : spec_(spec), relu_(context.device.operations().relu()) {
    const DType type = context.type();
    const Precision precision = context.precision;
    forward_ = chosen(context, {.m = spec.images,
                                .n = spec.out,
                                .k = spec.in,
                                .transposed_b = true,
                                .bias = true,
                                .relu = spec.relu,
                                .type = type,
                                .result_type = type,
                                .precision = precision});
    data_ = chosen(context, {.m = spec.images,
                             .n = spec.in,
                             .k = spec.out,
                             .type = type,
                             .result_type = type,
                             .precision = precision});
    weights_ = chosen(context, {.m = spec.out,
                                .n = spec.in,
                                .k = spec.images,
                                .transposed_a = true,
                                .type = type,
                                .result_type = DType::f32,
                                .precision = precision});
  }

  [[nodiscard]] std::size_t workspace_bytes() const override {
    return std::max({forward_->workspace_bytes(), data_->workspace_bytes(),
                     weights_->workspace_bytes(), column_sums_bytes(spec_.images, spec_.out)});
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    forward_->run(native(context.stream), {x.data, w.data, b.data, y.data}, context.workspace);
  }

  void backward_data(const OpContext& context, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    data_->run(native(context.stream), {dy.data, w.data, nullptr, dx.data}, context.workspace);
    if (mask != nullptr) relu_->backward(context, *mask, dx);
  }

  void backward_weights(const OpContext& context, const Tensor& x, const Tensor& dy,
                        const Tensor& dw, const Tensor& db, GradientSink* sink) override {
    const cudaStream_t stream = native(context.stream);
    weights_->run(stream, {dy.data, x.data, nullptr, dw.data}, context.workspace);
    column_sums(dy, spec_.images, spec_.out, db.f32(), context.workspace, stream);
    if (sink != nullptr) sink->finished({dw.f32(), spec_.out * spec_.in}, dw.f32(), 0);
  }

 private:
  FullyConnectedSpec spec_;
  std::unique_ptr<ReluOp> relu_;
  std::unique_ptr<ProductPlan> forward_;
  std::unique_ptr<ProductPlan> data_;
  std::unique_ptr<ProductPlan> weights_;
};

}  // namespace

std::unique_ptr<FullyConnectedOp> make_fully_connected_cuda(const CudaContext& context,
                                                            const FullyConnectedSpec& spec) {
  check_fully_connected(spec);
  return std::make_unique<FullyConnectedCuda>(context, spec);
}

}  // namespace convoy
