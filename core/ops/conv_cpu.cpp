// Convolution on the CPU by oneDNN, on NHWC activations.
//
// oneDNN picks the layout of the weights; they are small (3.5 MB at most) and rearranged in each
// call, in the caller's workspace. Groups stay one primitive: on channel slices oneDNN 2.6 falls
// back to reference code, while its grouped NHWC kernels run at full speed.
#include <algorithm>
#include <unordered_map>
#include <utility>

#include <oneapi/dnnl/dnnl.hpp>

#include "core/error.h"
#include "core/ops/minimal_conv_cpu.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/sum_parts_cpu.h"

namespace convoy {
namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

constexpr auto kF32 = memory::data_type::f32;

// Memory whose place is given in each call.
memory placeless(const memory::desc& desc, const dnnl::engine& engine) {
  return {desc, engine, nullptr};
}

// Hands out 64-byte aligned pieces of the workspace.
class Pieces {
 public:
  std::size_t add(std::size_t bytes) {
    const std::size_t at = used_;
    used_ += (bytes + 63) / 64 * 64;
    return at;
  }
  [[nodiscard]] std::size_t bytes() const { return used_; }

 private:
  std::size_t used_ = 0;
};

// One direction of a convolution, with its weights in oneDNN's layout and the reorder to or from
// the [K, R, S, C/groups] of the caller.
class Pass {
 public:
  // `primitive_desc` names what it needs; `arguments` holds placeless memory for each.
  template <typename Primitive>
  void make(const typename Primitive::primitive_desc& pd, Arguments arguments, int weights_key,
            const memory::desc& packed, const memory::desc& plain, bool weights_are_output,
            const dnnl::engine& engine) {
    primitive_ = Primitive(pd);
    name_ = pd.impl_info_str();
    arguments_ = std::move(arguments);
    weights_key_ = weights_key;
    reorders_ = packed != plain;
    Pieces pieces;
    arguments_.emplace(weights_key, placeless(packed, engine));
    if (reorders_) {
      packed_at_ = pieces.add(packed.get_size());
      const memory::desc& from = weights_are_output ? packed : plain;
      const memory::desc& to = weights_are_output ? plain : packed;
      dnnl::primitive_attr attributes;
      attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
      const dnnl::reorder::primitive_desc reorder(engine, from, engine, to, attributes);
      reorder_ = dnnl::reorder(reorder);
      reorder_arguments_.emplace(DNNL_ARG_FROM, placeless(from, engine));
      reorder_arguments_.emplace(DNNL_ARG_TO, placeless(to, engine));
      reorder_arguments_.emplace(DNNL_ARG_SCRATCHPAD, placeless(reorder.scratchpad_desc(), engine));
      reorder_scratch_at_ = pieces.add(reorder.scratchpad_desc().get_size());
    }
    arguments_.emplace(DNNL_ARG_SCRATCHPAD, placeless(pd.scratchpad_desc(), engine));
    scratch_at_ = pieces.add(pd.scratchpad_desc().get_size());
    workspace_bytes_ = pieces.bytes();
  }

  [[nodiscard]] std::size_t workspace_bytes() const { return workspace_bytes_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  void place(int key, void* data) { arguments_.at(key).set_data_handle(data); }

  // The weights are read: rearranged first.
  void run_with_weights(dnnl::stream& stream, void* workspace, float* weights) {
    place_work(workspace, weights, DNNL_ARG_FROM, DNNL_ARG_TO);
    if (reorders_) reorder_.execute(stream, reorder_arguments_);
    primitive_.execute(stream, arguments_);
    stream.wait();
  }

  // The weights are written: rearranged last.
  void run_for_weights(dnnl::stream& stream, void* workspace, float* weights) {
    place_work(workspace, weights, DNNL_ARG_TO, DNNL_ARG_FROM);
    primitive_.execute(stream, arguments_);
    if (reorders_) reorder_.execute(stream, reorder_arguments_);
    stream.wait();
  }

 private:
  void place_work(void* workspace, float* weights, int plain_key, int packed_key) {
    char* const work = static_cast<char*>(workspace);
    place(DNNL_ARG_SCRATCHPAD, work + scratch_at_);
    if (!reorders_) return place(weights_key_, weights);
    place(weights_key_, work + packed_at_);
    reorder_arguments_.at(plain_key).set_data_handle(weights);
    reorder_arguments_.at(packed_key).set_data_handle(work + packed_at_);
    reorder_arguments_.at(DNNL_ARG_SCRATCHPAD).set_data_handle(work + reorder_scratch_at_);
  }

  dnnl::primitive primitive_;
  Arguments arguments_;
  int weights_key_ = 0;
  bool reorders_ = false;
  dnnl::reorder reorder_;
  Arguments reorder_arguments_;
  std::size_t packed_at_ = 0;
  std::size_t reorder_scratch_at_ = 0;
  std::size_t scratch_at_ = 0;
  std::size_t workspace_bytes_ = 0;
  std::string name_;
};

class ConvCpu : public ConvOp {
 public:
  ConvCpu(CpuTeam team, const ConvSpec& spec)
      : team_(team),
        engine_(dnnl::engine::kind::cpu, 0),
        stream_(engine_),
        needs_dx_(spec.needs_dx),
        form_(InputForm::plain(spec.x)),
        products_(spec.y().count() * spec.weights().per_row()) {
    const Shape y = spec.y();
    const std::int64_t k = spec.kernels / spec.groups;
    const std::int64_t c = spec.x.c / spec.groups;
    const std::int64_t r = spec.kernel;
    const memory::desc x_desc({spec.x.n, spec.x.c, spec.x.h, spec.x.w}, kF32,
                              memory::format_tag::nhwc);
    const memory::desc y_desc({y.n, y.c, y.h, y.w}, kF32, memory::format_tag::nhwc);
    const memory::desc b_desc({spec.kernels}, kF32, memory::format_tag::x);
    const bool grouped = spec.groups > 1;
    const memory::dims w_dims =
        grouped ? memory::dims{spec.groups, k, c, r, r} : memory::dims{k, c, r, r};
    const memory::desc w_any(w_dims, kF32, memory::format_tag::any);
    const memory::desc w_plain(w_dims, kF32,
                               grouped ? memory::format_tag::gohwi : memory::format_tag::ohwi);
    const memory::dims strides = {spec.stride, spec.stride};
    const memory::dims begin = {spec.pad_begin, spec.pad_begin};
    const memory::dims end = {spec.pad_end, spec.pad_end};
    constexpr auto direct = dnnl::algorithm::convolution_direct;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::primitive_attr forward_attributes;  // a copy of `attributes` would share its handle
    forward_attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (spec.relu) {
      dnnl::post_ops relu;
      relu.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
      forward_attributes.set_post_ops(relu);
    }

    using Forward = dnnl::convolution_forward;
    const Forward::primitive_desc forward(
        Forward::desc(dnnl::prop_kind::forward_training, direct, x_desc, w_any, b_desc, y_desc,
                      strides, begin, end),
        forward_attributes, engine_);
    forward_.make<Forward>(forward,
                           {{DNNL_ARG_SRC, placeless(x_desc, engine_)},
                            {DNNL_ARG_BIAS, placeless(b_desc, engine_)},
                            {DNNL_ARG_DST, placeless(y_desc, engine_)}},
                           DNNL_ARG_WEIGHTS, forward.weights_desc(), w_plain, false, engine_);

    using BackwardWeights = dnnl::convolution_backward_weights;
    const BackwardWeights::primitive_desc weights(
        BackwardWeights::desc(direct, x_desc, w_any, b_desc, y_desc, strides, begin, end),
        attributes, engine_, forward);
    weights_.make<BackwardWeights>(weights,
                                   {{DNNL_ARG_SRC, placeless(x_desc, engine_)},
                                    {DNNL_ARG_DIFF_BIAS, placeless(b_desc, engine_)},
                                    {DNNL_ARG_DIFF_DST, placeless(y_desc, engine_)}},
                                   DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc(), w_plain,
                                   true, engine_);

    if (!spec.needs_dx) return;
    using BackwardData = dnnl::convolution_backward_data;
    const BackwardData::primitive_desc data(
        BackwardData::desc(direct, x_desc, w_any, y_desc, strides, begin, end), attributes, engine_,
        forward);
    data_.make<BackwardData>(data,
                             {{DNNL_ARG_DIFF_SRC, placeless(x_desc, engine_)},
                              {DNNL_ARG_DIFF_DST, placeless(y_desc, engine_)}},
                             DNNL_ARG_WEIGHTS, data.weights_desc(), w_plain, false, engine_);
  }

  [[nodiscard]] InputForm input_form() const override { return form_; }
  [[nodiscard]] ConvProducts products() const override {
    return {products_, needs_dx_ ? products_ : 0, products_};
  }

  [[nodiscard]] std::size_t workspace_bytes() const override {
    return std::max(
        {forward_.workspace_bytes(), data_.workspace_bytes(), weights_.workspace_bytes()});
  }

  [[nodiscard]] std::string implementation() const override {
    return fmt::format("forward {}, dX {}, dW {}", forward_.name(),
                       needs_dx_ ? data_.name() : "none", weights_.name());
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& w, const Tensor& b,
               const Tensor& y) override {
    forward_.place(DNNL_ARG_SRC, x.data);
    forward_.place(DNNL_ARG_BIAS, b.data);
    forward_.place(DNNL_ARG_DST, y.data);
    forward_.run_with_weights(stream_, context.workspace, w.f32());
  }

  void backward_data(const OpContext& context, const Tensor& dy, const Tensor& w, const Tensor& dx,
                     const Tensor* mask) override {
    if (!needs_dx_) fail(ExitCode::usage, "This convolution was made without its data gradient.");
    data_.place(DNNL_ARG_DIFF_DST, dy.data);
    data_.place(DNNL_ARG_DIFF_SRC, dx.data);
    data_.run_with_weights(stream_, context.workspace, w.f32());
    if (mask != nullptr) mask_gradient(team_, *mask, dx);
  }

  void backward_weights(const OpContext& context, const Tensor& x, const Tensor& dy,
                        const Tensor& dw, const Tensor& db) override {
    weights_.place(DNNL_ARG_SRC, x.data);
    weights_.place(DNNL_ARG_DIFF_DST, dy.data);
    weights_.place(DNNL_ARG_DIFF_BIAS, db.data);
    weights_.run_for_weights(stream_, context.workspace, dw.f32());
  }

 private:
  CpuTeam team_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  bool needs_dx_;
  InputForm form_;
  std::int64_t products_;
  Pass forward_;
  Pass data_;
  Pass weights_;
};

}  // namespace

std::unique_ptr<ConvOp> make_conv_cpu(CpuTeam team, const ConvSpec& spec) {
  check_conv(spec);
  if (spec.method == ConvMethod::minimal) {
    if (!minimal_fits(spec))
      fail(ExitCode::usage,
           "Minimal filtering cannot do a convolution of {0} x {0} taps with stride {1}.",
           spec.kernel, spec.stride);
    return make_minimal_conv_cpu(team, spec);
  }
  try {
    return std::make_unique<ConvCpu>(team, spec);
  } catch (const dnnl::error& e) {
    fail(ExitCode::resource, "oneDNN cannot make a convolution of {} kernels {} x {}: {}.",
         spec.kernels, spec.kernel, spec.kernel, e.what());
  }
}

}  // namespace convoy
