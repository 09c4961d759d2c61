// cuDNN on the CPU: plain loops in double precision, two plans a pass so that there is a choice.
//
// As the real one, it has no bf16 convolution with an fp32 gradient of weights.
#include <algorithm>

#include "core/cuda/conv_pass.h"
#include "tests/cuda_on_cpu/launch_kernel.h"
#include "tests/cuda_on_cpu/numbers.h"

namespace convoy {

using cuda_on_cpu::Numbers;

struct Cudnn::State {};
Cudnn::Cudnn() = default;
Cudnn::~Cudnn() = default;
std::string Cudnn::version() const { return "cuDNN emulated"; }
LibraryVersion cudnn_library() { return {"cuDNN", "emulated", "emulated"}; }

namespace {

// Calls f(place in y, place in x, place in w, channels) for each run of products.
template <typename F>
void for_runs(const ConvPass& p, const F& f) {
  const Shape w = p.weights();
  for (std::int64_t n = 0; n < p.y.n; ++n)
    for (std::int64_t i = 0; i < p.y.h; ++i)
      for (std::int64_t j = 0; j < p.y.w; ++j)
        for (std::int64_t r = 0; r < p.kernel; ++r)
          for (std::int64_t s = 0; s < p.kernel; ++s) {
            const std::int64_t row = i * p.stride - p.pad_begin + r;
            const std::int64_t column = j * p.stride - p.pad_begin + s;
            if (row < 0 || row >= p.x.h || column < 0 || column >= p.x.w) continue;
            const std::int64_t at_x = ((n * p.x.h + row) * p.x.w + column) * p.x_pixel;
            const std::int64_t at_y = ((n * p.y.h + i) * p.y.w + j) * p.y_pixel;
            for (std::int64_t k = 0; k < p.y.c; ++k)
              f(at_y + k, at_x + k / (p.y.c / p.groups) * w.c,
                ((k * p.kernel + r) * p.kernel + s) * w.c, w.c);
          }
}

std::vector<float> read(const Numbers& from, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = from[i];
  return values;
}

// The places from the first to the last value of a tensor, of which a pass may own some channels.
std::int64_t span(const Shape& s, std::int64_t pixel) {
  return (s.n * s.h * s.w - 1) * pixel + s.c;
}

void compute(const ConvPass& p, const ConvPointers& at) {
  using Kind = ConvPass::Kind;
  const Numbers x{at.x, p.type}, y{at.y, p.type}, b{at.b, p.type}, mask{at.mask, p.type};
  const Numbers w{at.w, p.kind == Kind::weights ? p.gradient_type : p.type};
  const auto read_if = [&](bool wanted, const Numbers& from, std::int64_t count) {
    return wanted ? read(from, count) : std::vector<float>();
  };
  const auto xs = read_if(p.kind != Kind::data, x, span(p.x, p.x_pixel));
  const auto ys = read_if(p.kind != Kind::forward, y, span(p.y, p.y_pixel));
  const auto ws = read_if(p.kind != Kind::weights, w, p.weights().count());
  const std::int64_t results = p.kind == Kind::forward ? span(p.y, p.y_pixel)
                               : p.kind == Kind::data  ? span(p.x, p.x_pixel)
                                                       : p.weights().count();
  std::vector<double> sums(static_cast<std::size_t>(results));
  for_runs(p, [&](std::int64_t yi, std::int64_t xi, std::int64_t wi, std::int64_t channels) {
    if (p.kind == Kind::forward)
      for (std::int64_t c = 0; c < channels; ++c)
        sums.data()[yi] += double{xs.data()[xi + c]} * ws.data()[wi + c];
    else if (p.kind == Kind::data)
      for (std::int64_t c = 0; c < channels; ++c)
        sums.data()[xi + c] += double{ys.data()[yi]} * ws.data()[wi + c];
    else
      for (std::int64_t c = 0; c < channels; ++c)
        sums.data()[wi + c] += double{ys.data()[yi]} * xs.data()[xi + c];
  });
  if (p.kind == Kind::weights) {
    for (std::int64_t i = 0; i < results; ++i) w.set(i, sums.data()[i]);
    return;
  }
  const bool forward = p.kind == Kind::forward;
  const std::int64_t pixel = forward ? p.y_pixel : p.x_pixel;
  const std::int64_t channels = forward ? p.y.c : p.x.c;
  for (std::int64_t i = 0; i < results; ++i) {
    if (i % pixel >= channels) continue;
    double value = sums.data()[i] + (forward ? double{b[i % pixel]} : 0.0);
    if (p.relu) value = std::max(0.0, value);
    if (p.mask && !(mask[i] > 0)) value = 0;
    (forward ? y : x).set(i, value);
  }
}

class EmulatedPlan : public ConvPlan {
 public:
  EmulatedPlan(const ConvPass& pass, std::string name, std::size_t workspace)
      : pass_(pass), name_(std::move(name)), workspace_(workspace) {}
  [[nodiscard]] std::size_t workspace_bytes() const override { return workspace_; }
  [[nodiscard]] std::string name() const override { return name_; }
  void run(cudaStream_t stream, const ConvPointers& at, void* workspace) override {
    cuda_on_cpu::enqueue(stream, [pass = pass_, bytes = workspace_, at, workspace] {
      // What it is given must be its own to overwrite.
      std::fill_n(static_cast<char*>(workspace), bytes, char{0x5A});
      compute(pass, at);
    });
  }

 private:
  ConvPass pass_;
  std::string name_;
  std::size_t workspace_;
};

}  // namespace

std::unique_ptr<ConvPlan> make_plan(Cudnn&, const ConvPass& pass, const PlanLimits& limits,
                                    const std::string& name) {
  const bool gradient = pass.kind == ConvPass::Kind::weights;
  if (gradient && pass.type == DType::bf16 && pass.gradient_type == DType::f32) return nullptr;
  const std::size_t workspace = name == "eng1 k2=1" ? 4096 : 0;
  if ((workspace == 0 && name != "eng0") || workspace > limits.workspace) return nullptr;
  return std::make_unique<EmulatedPlan>(pass, name, workspace);
}

std::vector<std::unique_ptr<ConvPlan>> make_plans(Cudnn& cudnn, const ConvPass& pass,
                                                  const PlanLimits& limits) {
  std::vector<std::unique_ptr<ConvPlan>> plans;
  for (const char* name : {"eng1 k2=1", "eng0"})
    if (auto plan = make_plan(cudnn, pass, limits, name)) plans.push_back(std::move(plan));
  return plans;
}

}  // namespace convoy
