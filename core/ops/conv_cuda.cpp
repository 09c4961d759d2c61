// Convolution on a GPU: cuDNN's plans, picked by timing.
//
// A first layer with a stride reads blocks of pixels as channels (input_form.h): its few channels
// would leave tensor cores idle. Its filters are rearranged in each call; they are small.
#include <algorithm>
#include <optional>

#include "core/cuda/column_sums.h"
#include "core/cuda/conv_runner.h"
#include "core/cuda/quickest.h"
#include "core/cuda/stream.h"
#include "core/error.h"
#include "core/ops/blocked_filter_cuda.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

constexpr const char* kApart = "apart";  // the gradient first, then its mask

bool reads_blocks(const ConvSpec& spec) {
  return spec.stride > 1 && spec.groups == 1 && !spec.needs_dx;
}

InputForm form_of(const ConvSpec& spec) {
  return reads_blocks(spec) ? minimal_input_form(spec) : InputForm::plain(spec.x);
}

ConvPass pass_of(const CudaContext& context, const ConvSpec& spec, ConvPass::Kind kind) {
  const bool blocks = reads_blocks(spec);
  const Shape x = form_of(spec).shape(spec.x.n);
  ConvPass pass{.kind = kind,
                .x = x,
                .y = spec.y(),
                .kernel = blocks ? minimal_taps(spec) : spec.kernel,
                .stride = blocks ? 1 : spec.stride,
                .pad_begin = blocks ? 0 : spec.pad_begin,
                .pad_end = blocks ? 0 : spec.pad_end,
                .groups = spec.groups,
                .x_pixel = x.c,
                .y_pixel = spec.kernels,
                .type = context.type(),
                .gradient_type = DType::f32,
                .precision = context.precision};
  pass.relu = kind == ConvPass::Kind::forward && spec.relu;
  return pass;
}

std::size_t rounded(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

ConvRunner chosen(const CudaContext& context, const ConvPass& pass) {
  std::vector<ConvRunner> one = choose_conv_runner(context, pass);
  // cuDNN may not have bf16 convolutions whose gradients of weights are fp32.
  if (one.empty() && pass.kind == ConvPass::Kind::weights && pass.type == DType::bf16) {
    ConvPass rounded_gradient = pass;
    rounded_gradient.gradient_type = DType::bf16;
    one = choose_conv_runner(context, rounded_gradient);
  }
  if (one.empty())
    fail(ExitCode::resource,
         "cuDNN has no plan for the convolution {} within {} MB of work memory; give it more by "
         "--device.workspace-mb, or use a smaller --solver.batch",
         pass.text(), context.workspace_limit / 1000000);
  return std::move(one.front());
}

class ConvCuda : public ConvOp {
 public:
  ConvCuda(const CudaContext& context, const ConvSpec& spec)
      : form_(form_of(spec)),
        blocks_(reads_blocks(spec)),
        filter_(BlockedFilterShape::of(spec)),
        relu_(context.device.operations().relu()),
        forward_(chosen(context, pass_of(context, spec, ConvPass::Kind::forward))),
        weights_(chosen(context, pass_of(context, spec, ConvPass::Kind::weights))) {
    if (!blocks_)  // one pixel a block: what is left is a change of type
      filter_ = {spec.kernels, spec.kernel, 1, spec.x.c / spec.groups, spec.kernel};
    if (!spec.needs_dx) return;
    data_.emplace(chosen(context, pass_of(context, spec, ConvPass::Kind::data)));
    choose_masked(context, spec);
  }

  [[nodiscard]] InputForm input_form() const override { return form_; }
  [[nodiscard]] ConvProducts products() const override {
    const ConvPass& pass = forward_.pass();
    const std::int64_t all = pass.y.count() * pass.weights().per_row();
    return {all, data_ ? all : 0, all};
  }
  [[nodiscard]] std::size_t workspace_bytes() const override {
    const std::size_t forward = filter_bytes(forward_) + forward_.workspace_bytes();
    const Shape& y = weights_.pass().y;
    const std::size_t weights =
        filter_bytes(weights_) +
        std::max(weights_.workspace_bytes(), column_sums_bytes(y.n * y.h * y.w, y.c));
    const std::size_t data = data_ ? data_->workspace_bytes() : 0;
    const std::size_t masked = masked_ ? masked_->workspace_bytes() : 0;
    return std::max({forward, weights, data, masked});
  }
  [[nodiscard]] std::string implementation() const override {
    return fmt::format("forward {}, dX {}, dX with mask {}, dW {}{}", forward_.name(),
                       data_ ? data_->name() : "none", masked_ ? masked_->name() : kApart,
                       weights_.name(),
                       weights_.pass().gradient_type == DType::bf16 ? " bf16" : "");
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    const cudaStream_t stream = native(context.stream);
    void* filter = w.data;
    if (blocks_) {
      filter = context.workspace;
      to_blocks_cuda(filter_, w.type, w.data, filter, stream);
    }
    forward_.run(stream, {.x = x.data, .w = filter, .b = b.data, .y = y.data},
                 rest(context, forward_));
  }

  void backward_data(const OpContext& context, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    if (!data_) fail(ExitCode::usage, "This convolution was made without its data gradient.");
    ConvPointers at{.x = dx.data, .w = w.data, .y = dy.data};
    if (mask != nullptr && masked_) {
      at.mask = mask->data;
      return masked_->run(native(context.stream), at, context.workspace);
    }
    data_->run(native(context.stream), at, context.workspace);
    if (mask != nullptr) relu_->backward(context, *mask, dx);
  }

  void backward_weights(const OpContext& context, const Tensor& x, const Tensor& dy,
                        const Tensor& dw, const Tensor& db) override {
    const cudaStream_t stream = native(context.stream);
    void* const work = rest(context, weights_);
    const bool direct = filter_bytes(weights_) == 0;
    void* const gradient = direct ? dw.data : context.workspace;
    weights_.run(stream, {.x = x.data, .w = gradient, .y = dy.data}, work);
    if (!direct)
      from_blocks_cuda(filter_, weights_.pass().gradient_type, gradient, dw.f32(), stream);
    const Shape& y = weights_.pass().y;
    column_sums(dy, y.n * y.h * y.w, y.c, db.f32(), work, stream);
  }

 private:
  // Bytes at the front of the workspace: filters, or their gradient, as a runner has them where the
  // caller has them otherwise.
  [[nodiscard]] std::size_t filter_bytes(const ConvRunner& runner) const {
    const ConvPass& pass = runner.pass();
    const bool gradient = pass.kind == ConvPass::Kind::weights;
    const DType type = gradient ? pass.gradient_type : pass.type;
    if (!blocks_ && !(gradient && type != DType::f32)) return 0;
    return rounded(static_cast<std::size_t>(pass.weights().count()) * size_of(type));
  }
  [[nodiscard]] void* rest(const OpContext& context, const ConvRunner& runner) const {
    return static_cast<char*>(context.workspace) + filter_bytes(runner);
  }

  // Where cuDNN can apply the mask itself, that is timed against a kernel of its own for it.
  void choose_masked(const CudaContext& context, const ConvSpec& spec) {
    ConvPass pass = pass_of(context, spec, ConvPass::Kind::data);
    pass.mask = true;
    const std::string work =
        work_name(context, "convolution " + pass.text(), context.cudnn.version());
    std::vector<ConvRunner> all;
    std::size_t best = 0;  // that is apart
    if (const auto known = context.choices.of(work)) {
      if (*known == kApart) return;
      all = conv_runner(context, pass, *known);
      if (all.empty()) refuse_choice(work, *known);
      best = 1;
    } else {
      all = conv_runners(context, pass);
      std::size_t workspace = data_->workspace_bytes();
      for (const ConvRunner& one : all) workspace = std::max(workspace, one.workspace_bytes());
      if (!all.empty()) {
        const ConvScratch scratch(context, pass, workspace);
        const ConvPointers& at = scratch.pointers();
        best = quickest(context.device, all.size() + 1, [&](std::size_t i, Stream& stream) {
          if (i > 0) return all[i - 1].run(native(stream), at, scratch.workspace());
          data_->run(native(stream), {.x = at.x, .w = at.w, .y = at.y}, scratch.workspace());
          relu_->backward({stream, nullptr}, {at.mask, pass.x, pass.type},
                          {at.x, pass.x, pass.type});
        });
      }
      context.choices.set(work, best == 0 ? kApart : all[best - 1].name());
    }
    if (best > 0) masked_.emplace(std::move(all[best - 1]));
  }

  InputForm form_;
  bool blocks_;
  BlockedFilterShape filter_;
  std::unique_ptr<ReluOp> relu_;
  ConvRunner forward_;
  ConvRunner weights_;
  std::optional<ConvRunner> data_;
  std::optional<ConvRunner> masked_;
};

}  // namespace

std::unique_ptr<ConvOp> make_conv_cuda(const CudaContext& context, const ConvSpec& spec) {
  check_conv(spec);
  if (spec.method == ConvMethod::minimal)
    fail(ExitCode::usage,
         "device.conv minimal is for the CPU; cuDNN chooses its own algorithms: leave device.conv "
         "out");
  return std::make_unique<ConvCuda>(context, spec);
}

}  // namespace convoy
