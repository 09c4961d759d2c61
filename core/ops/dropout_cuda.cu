// Dropout on a GPU: the mask is drawn, never stored.
#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"
#include "core/philox.h"
#include "core/random.h"

namespace convoy {
namespace {

// Elements of an image lie in runs that are neighbours in the whole layer too: a pixel's channels,
// or all of the image where all channels are here.
struct Runs {
  std::int64_t length;
  std::int64_t step;   // in the whole layer, from run to run
  std::int64_t first;  // in the whole layer, of the first run
  std::int64_t per_image;
};

// RandomSource's counter and key, less position and block.
struct Source {
  std::uint32_t stream, time, first_position;
  std::uint32_t key0, key1;
  std::uint64_t threshold;
};

// Which of the elements [e, e + N) of an image are kept. N divides e, and is 8 at most.
template <int N, bool Half>
__device__ inline void draw(const Source& s, std::uint32_t position, std::int64_t e, bool* kept) {
  const auto block = [&](std::int64_t number) {
    return philox({{s.stream, s.time, position, static_cast<std::uint32_t>(number)}}, s.key0,
                  s.key1);
  };
  if constexpr (Half) {
    const PhiloxWords words = block(e / 128);
    const std::uint32_t word = words.v[e / 32 % 4] >> (e % 32);
#pragma unroll
    for (int k = 0; k < N; ++k) kept[k] = (word >> k & 1u) != 0;
  } else {
    constexpr int words_used = N < 4 ? N : 4;
#pragma unroll
    for (int k = 0; k < N; k += words_used) {
      const PhiloxWords words = block((e + k) / 4);
#pragma unroll
      for (int i = 0; i < words_used; ++i) kept[k + i] = words.v[(e + i) % 4] >= s.threshold;
    }
  }
}

template <typename T, int N, bool Half>
__global__ void drop(T* x, std::int64_t count, Runs runs, Source source, float scale) {
  const std::int64_t i = thread_index() * N;
  if (i >= count) return;
  const std::int64_t run = i / runs.length;
  const std::int64_t e = run % runs.per_image * runs.step + runs.first + i % runs.length;
  const auto image = static_cast<std::uint32_t>(run / runs.per_image);
  bool kept[N];
  float values[N];
  draw<N, Half>(source, source.first_position + image, e, kept);
  load_floats<N>(x + i, values);
#pragma unroll
  for (int k = 0; k < N; ++k) values[k] = kept[k] ? values[k] * scale : 0.0f;
  store_floats<N>(x + i, values);
}

template <typename T, int N>
__global__ void multiply(T* x, std::int64_t count, float scale) {
  const std::int64_t i = thread_index() * N;
  if (i >= count) return;
  float values[N];
  load_floats<N>(x + i, values);
#pragma unroll
  for (int k = 0; k < N; ++k) values[k] *= scale;
  store_floats<N>(x + i, values);
}

class DropoutCuda : public DropoutOp {
 public:
  explicit DropoutCuda(const DropoutSpec& spec)
      : spec_(spec), threshold_(keep_threshold(spec.drop)) {
    if (spec.x.c == spec.channels)
      runs_ = {spec.x.per_row(), 0, 0, 1};
    else
      runs_ = {spec.x.c, spec.channels, spec.first_channel, spec.x.h * spec.x.w};
  }

  void apply(const OpContext& context, const DropoutDraw& draw, float scale,
             const Tensor& x) override {
    const Source source{(static_cast<std::uint32_t>(Purpose::dropout) << 16) | spec_.layer,
                        draw.step,
                        static_cast<std::uint32_t>(draw.first_image),
                        static_cast<std::uint32_t>(draw.seed),
                        static_cast<std::uint32_t>(draw.seed >> 32),
                        threshold_};
    // Packs are powers of two: what divides all three divides their bits taken together.
    with_packs(x.type, runs_.length | runs_.step | runs_.first, {x.data}, [&]<typename T, int N>() {
      launch(spec_.drop == 0.5 ? drop<T, N, true> : drop<T, N, false>, blocks_for(x.count() / N),
             kThreads, native(context.stream), data_of<T>(x), x.count(), runs_, source, scale);
    });
  }

  void rescale(const OpContext& context, float scale, const Tensor& x) override {
    with_packs(x.type, x.count(), {x.data}, [&]<typename T, int N>() {
      launch(multiply<T, N>, blocks_for(x.count() / N), kThreads, native(context.stream),
             data_of<T>(x), x.count(), scale);
    });
  }

 private:
  DropoutSpec spec_;
  std::uint64_t threshold_;
  Runs runs_{};
};

}  // namespace

std::unique_ptr<DropoutOp> make_dropout_cuda(const CudaContext&, const DropoutSpec& spec) {
  check_dropout(spec);
  return std::make_unique<DropoutCuda>(spec);
}

}  // namespace convoy
