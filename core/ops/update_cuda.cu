// The optimiser step on a GPU: one launch for many parameters, as most are biases.
#include <algorithm>
#include <cmath>

#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

constexpr int kSegments = 32;  // of a launch: they travel as an argument
constexpr int kQuads = 4;      // a thread's, of 4 floats each
constexpr std::int64_t kBlockFloats = std::int64_t{kThreads} * kQuads * 4;

struct Segment {
  float* w;
  const float* g;
  float* v;
  float* s;
  Bf16* copy;
  std::int64_t count;
  float rate, decay;
  bool packs;
  std::int64_t end_block;  // its blocks end here, and those of the next one begin
};

struct Segments {
  Segment of[kSegments];
};

// Products and sums are written as fmaf(), so that packs and single values are rounded alike.
struct Sgd {
  static constexpr bool kSecondMoment = false;
  float momentum;

  __device__ void step(const Segment& a, float& w, float g, float& v, float&) const {
    v = fmaf(momentum, v, -(a.rate * fmaf(a.decay, w, g)));
    w += v;
  }
};

struct Adam {
  static constexpr bool kSecondMoment = true;
  float beta1, beta2, epsilon;
  float root;  // 1 / sqrt(1 - beta2^t)

  __device__ void step(const Segment& a, float& w, float g, float& m, float& s) const {
    m = fmaf(beta1, m, (1.0f - beta1) * g);
    s = fmaf(beta2, s, (1.0f - beta2) * g * g);
    w -= a.rate * m / fmaf(sqrtf(s), root, epsilon);
  }
};

template <int N, typename Rule>
__device__ inline void update_at(const Segment& a, const Rule& rule, std::int64_t at) {
  float w[N];
  float g[N];
  float v[N];
  float s[N] = {};
  load_floats<N>(a.w + at, w);
  load_floats<N>(a.g + at, g);
  load_floats<N>(a.v + at, v);
  if constexpr (Rule::kSecondMoment) load_floats<N>(a.s + at, s);
#pragma unroll
  for (int k = 0; k < N; ++k) rule.step(a, w[k], g[k], v[k], s[k]);
  store_floats<N>(a.w + at, w);
  store_floats<N>(a.v + at, v);
  if constexpr (Rule::kSecondMoment) store_floats<N>(a.s + at, s);
  if (a.copy != nullptr) store_floats<N>(a.copy + at, w);
}

template <typename Rule>
__global__ void update(Segments segments, Rule rule) {
  int index = 0;
  while (blockIdx.x >= segments.of[index].end_block) ++index;
  const Segment& a = segments.of[index];
  const std::int64_t first_block = index == 0 ? 0 : segments.of[index - 1].end_block;
  const std::int64_t begin = (blockIdx.x - first_block) * kBlockFloats;
  for (int quad = 0; quad < kQuads; ++quad) {
    const std::int64_t at =
        begin + (std::int64_t{quad} * kThreads + static_cast<std::int64_t>(threadIdx.x)) * 4;
    if (a.packs && at + 4 <= a.count) {
      update_at<4>(a, rule, at);
    } else {
      for (std::int64_t i = at; i < at + 4 && i < a.count; ++i) update_at<1>(a, rule, i);
    }
  }
}

class UpdateCuda : public UpdateOp {
 public:
  void sgd(const OpContext& context, std::span<const UpdateSegment> segments,
           float momentum) override {
    run(context, segments, 1.0, Sgd{momentum});
  }

  void adam(const OpContext& context, std::span<const UpdateSegment> segments, const AdamSpec& spec,
            std::int64_t step) override {
    const double t = static_cast<double>(step);
    const double first = 1.0 - std::pow(static_cast<double>(spec.beta1), t);
    const double root = 1.0 / std::sqrt(1.0 - std::pow(static_cast<double>(spec.beta2), t));
    run(context, segments, first,
        Adam{spec.beta1, spec.beta2, spec.epsilon, static_cast<float>(root)});
  }

 private:
  // Each segment's rate is its lr / divisor.
  template <typename Rule>
  static void run(const OpContext& context, std::span<const UpdateSegment> segments, double divisor,
                  const Rule& rule) {
    Segments some{};
    int count = 0;
    std::int64_t blocks = 0;
    const auto flush = [&] {
      if (count > 0)
        launch(update<Rule>, dim3(static_cast<unsigned>(blocks)), kThreads, native(context.stream),
               some, rule);
      count = 0;
      blocks = 0;
    };
    for (const UpdateSegment& s : segments) {
      if (s.lr == 0 || s.count == 0) continue;
      blocks += (s.count + kBlockFloats - 1) / kBlockFloats;
      some.of[count++] = {s.w,
                          s.g,
                          s.v,
                          s.s,
                          static_cast<Bf16*>(s.copy),
                          s.count,
                          static_cast<float>(s.lr / divisor),
                          s.decay,
                          aligned({s.w, s.g, s.v, s.s}) && aligned({s.copy}, 8),
                          blocks};
      if (count == kSegments) flush();
    }
    flush();
  }
};

}  // namespace

std::unique_ptr<UpdateOp> make_update_cuda(const CudaContext&) {
  return std::make_unique<UpdateCuda>();
}

}  // namespace convoy
