// Response normalisation over pixels on a GPU; neighbouring windows meet in the cache.
#include "core/cuda/norm.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

struct Maps {
  std::int64_t pixels;  // of all images
  int h, w, c;
};

// The N values of a thread; past the last pixel it has none.
struct Place {
  std::int64_t pixel;
  int c;
};

template <int N>
__device__ inline Place place_of_thread(const Maps& m) {
  const std::int64_t packs = m.c / N;
  const std::int64_t i = thread_index();
  return {i / packs, static_cast<int>(i % packs) * N};
}

// sums[k] = the sum over the window around a pixel of what value() makes of channel c + k.
template <int N, typename T, typename Value>
__device__ inline void window_sums(const T* x, const Maps& m, int half, std::int64_t pixel, int c,
                                   float* sums, const Value& value) {
  const int column = static_cast<int>(pixel % m.w);
  const int row = static_cast<int>(pixel / m.w % m.h);
  const int top = row > half ? row - half : 0;
  const int bottom = row + half < m.h ? row + half : m.h - 1;
  const int left = column > half ? column - half : 0;
  const int right = column + half < m.w ? column + half : m.w - 1;
  const std::int64_t image = pixel - (static_cast<std::int64_t>(row) * m.w + column);
#pragma unroll
  for (int k = 0; k < N; ++k) sums[k] = 0.0f;
  for (int r = top; r <= bottom; ++r)
    for (int s = left; s <= right; ++s) {
      float v[N];
      load_floats<N>(x + (image + static_cast<std::int64_t>(r) * m.w + s) * m.c + c, v);
#pragma unroll
      for (int k = 0; k < N; ++k) sums[k] += value(v[k]);
    }
}

struct Square {
  __device__ float operator()(float v) const { return v * v; }
};
struct Itself {
  __device__ float operator()(float v) const { return v; }
};

template <typename T, int N>
__global__ void spatial_forward(const T* x, T* y, Maps m, NormParameters p) {
  const auto [pixel, c] = place_of_thread<N>(m);
  if (pixel >= m.pixels) return;
  const std::int64_t at = pixel * m.c + c;
  float sums[N];
  float v[N];
  window_sums<N>(x, m, p.half, pixel, c, sums, Square{});
  load_floats<N>(x + at, v);
#pragma unroll
  for (int k = 0; k < N; ++k) v[k] *= norm_powers<false>(fmaf(p.alpha, sums[k], p.k), p.beta).scale;
  store_floats<N>(y + at, v);
}

// ratios = dy y / d and scaled = dy d^-beta, which the second pass puts together.
template <typename T, int N>
__global__ void spatial_ratios(const T* x, const T* dy, float* ratios, float* scaled, Maps m,
                               NormParameters p) {
  const auto [pixel, c] = place_of_thread<N>(m);
  if (pixel >= m.pixels) return;
  const std::int64_t at = pixel * m.c + c;
  float sums[N];
  float v[N];
  float gradient[N];
  window_sums<N>(x, m, p.half, pixel, c, sums, Square{});
  load_floats<N>(x + at, v);
  load_floats<N>(dy + at, gradient);
#pragma unroll
  for (int k = 0; k < N; ++k) {
    const NormPowers s = norm_powers<false>(fmaf(p.alpha, sums[k], p.k), p.beta);
    ratios[at + k] = gradient[k] * v[k] * (s.scale * s.inverse);
    scaled[at + k] = gradient[k] * s.scale;
  }
}

template <typename T, int N>
__global__ void spatial_backward(const T* x, const float* ratios, const float* scaled, T* dx,
                                 Maps m, NormParameters p) {
  const auto [pixel, c] = place_of_thread<N>(m);
  if (pixel >= m.pixels) return;
  const std::int64_t at = pixel * m.c + c;
  const float factor = -2.0f * p.alpha * p.beta;
  constexpr int quad = N < 4 ? N : 4;
  float sums[N];
  float v[N];
  load_floats<N>(x + at, v);
#pragma unroll
  for (int k = 0; k < N; k += quad)
    window_sums<quad>(ratios, m, p.half, pixel, c + k, sums + k, Itself{});
#pragma unroll
  for (int k = 0; k < N; ++k) v[k] = fmaf(factor * v[k], sums[k], scaled[at + k]);
  store_floats<N>(dx + at, v);
}

class SpatialNormCuda : public SpatialNormOp {
 public:
  explicit SpatialNormCuda(const SpatialNormSpec& spec)
      : p_{spec.alpha, spec.beta, spec.k, static_cast<int>(spec.size / 2), 0},
        maps_{spec.x.n * spec.x.h * spec.x.w, static_cast<int>(spec.x.h),
              static_cast<int>(spec.x.w), static_cast<int>(spec.x.c)},
        count_(spec.x.count()) {}

  // Of backward: two fp32 numbers a value.
  [[nodiscard]] std::size_t workspace_bytes() const override {
    return 2 * static_cast<std::size_t>(count_) * sizeof(float);
  }

  void forward(const OpContext& context, const Tensor& x, const Tensor& y) override {
    with_packs(x.type, maps_.c, {x.data, y.data}, [&]<typename T, int N>() {
      launch(spatial_forward<T, N>, blocks_for(count_ / N), kThreads, native(context.stream),
             data_of<T>(x), data_of<T>(y), maps_, p_);
    });
  }

  void backward(const OpContext& context, const Tensor& x, const Tensor& dy,
                const Tensor& dx) override {
    auto* const ratios = static_cast<float*>(context.workspace);
    float* const scaled = ratios + count_;
    with_packs(x.type, maps_.c, {x.data, dy.data, dx.data, ratios}, [&]<typename T, int N>() {
      launch(spatial_ratios<T, N>, blocks_for(count_ / N), kThreads, native(context.stream),
             data_of<T>(x), data_of<T>(dy), ratios, scaled, maps_, p_);
      launch(spatial_backward<T, N>, blocks_for(count_ / N), kThreads, native(context.stream),
             data_of<T>(x), ratios, scaled, data_of<T>(dx), maps_, p_);
    });
  }

 private:
  NormParameters p_;
  Maps maps_;
  std::int64_t count_;
};

}  // namespace

std::unique_ptr<SpatialNormOp> make_spatial_norm_cuda(const CudaContext&,
                                                      const SpatialNormSpec& spec) {
  check_spatial_norm(spec);
  return std::make_unique<SpatialNormCuda>(spec);
}

}  // namespace convoy
