// Softmax and cross-entropy on a GPU: a block an image, then one block that adds the images up.
//
// All in double: the batch has few logits beside the activations, and the losses are those of the
// CPU to within a few units of the last place of a double.
#include <cfloat>
#include <cmath>

#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

constexpr int kBlock = 128;

// What one image adds to the sums.
struct Score {
  double loss;
  int images, top1, top5;
};

// Adds up one number a thread, always in the same order; all threads get the sum. `shared` may be
// used again at once.
template <typename Number>
__device__ inline Number block_sum(Number mine, Number* shared) {
  const int t = static_cast<int>(threadIdx.x);
  shared[t] = mine;
  __syncthreads();
  for (int half = kBlock / 2; half > 0; half /= 2) {
    if (t < half) shared[t] += shared[t + half];
    __syncthreads();
  }
  const Number sum = shared[0];
  __syncthreads();
  return sum;
}

// The largest of all threads' numbers; NaNs are not larger than anything.
__device__ inline float block_max(float mine, float* shared) {
  const int t = static_cast<int>(threadIdx.x);
  shared[t] = mine;
  __syncthreads();
  for (int half = kBlock / 2; half > 0; half /= 2) {
    if (t < half && shared[t + half] > shared[t]) shared[t] = shared[t + half];
    __syncthreads();
  }
  return shared[0];
}

// The largest logit and the logarithm of the sum of exponentials above it.
struct Normaliser {
  double largest;
  double log_sum;
  __device__ double log_p(float logit) const { return logit - largest - log_sum; }
};

template <typename T>
__device__ inline Normaliser normaliser_of(const T* logits, std::int64_t classes) {
  __shared__ float maxima[kBlock];
  __shared__ double sums[kBlock];
  float largest = -INFINITY;
  for (std::int64_t c = threadIdx.x; c < classes; c += kBlock) {
    const float v = to_float(logits[c]);
    if (v > largest) largest = v;
  }
  largest = block_max(largest, maxima);
  double sum = 0;
  for (std::int64_t c = threadIdx.x; c < classes; c += kBlock)
    sum += exp(static_cast<double>(to_float(logits[c])) - static_cast<double>(largest));
  return {largest, log(block_sum(sum, sums))};
}

// How many classes rank before the label: the larger scores, and among equal ones the lower
// numbers. With a NaN among the scores, as many as no label reaches.
template <typename T>
__device__ inline std::int64_t rank_of(const T* scores, std::int64_t classes, std::int64_t label) {
  __shared__ std::int64_t ranks[kBlock];
  const float own = to_float(scores[label]);
  std::int64_t rank = 0;
  for (std::int64_t c = threadIdx.x; c < classes; c += kBlock) {
    const float v = to_float(scores[c]);
    if (v > own || (v == own && c < label)) rank += 1;
    if (v != v) rank += classes + 5;
  }
  return block_sum(rank, ranks);
}

template <typename T>
__global__ void softmax(const T* logits, std::int64_t classes, float* p) {
  const T* const from = logits + blockIdx.x * classes;
  float* const to = p + blockIdx.x * classes;
  const Normaliser normaliser = normaliser_of(from, classes);
  for (std::int64_t c = threadIdx.x; c < classes; c += kBlock)
    to[c] = static_cast<float>(exp(normaliser.log_p(to_float(from[c]))));
}

// A label beyond the classes makes the loss NaN, and like padding it has no gradient.
template <typename T>
__global__ void loss(const T* logits, const std::int32_t* labels, std::int64_t classes, float scale,
                     T* dlogits, Score* scores) {
  const T* const from = logits + blockIdx.x * classes;
  T* const to = dlogits + blockIdx.x * classes;
  const std::int64_t label = labels[blockIdx.x];
  const bool counts = label >= 0 && label < classes;
  const std::int64_t known = counts ? label : 0;
  const Normaliser normaliser = normaliser_of(from, classes);
  const std::int64_t rank = rank_of(from, classes, known);
  const double own = -normaliser.log_p(to_float(from[known]));
  __syncthreads();  // the gradient may overwrite the logits
  for (std::int64_t c = threadIdx.x; c < classes; c += kBlock) {
    const double p = exp(normaliser.log_p(to_float(from[c])));
    to[c] = from_float<T>(counts ? static_cast<float>(scale * (p - (c == label ? 1 : 0))) : 0.0f);
  }
  if (threadIdx.x == 0)
    scores[blockIdx.x] = counts ? Score{own, 1, rank < 1, rank < 5}
                                : Score{label == -1 ? 0.0 : static_cast<double>(NAN), 0, 0, 0};
}

__global__ void evaluate(const float* p, const std::int32_t* labels, std::int64_t classes,
                         Score* scores) {
  const float* const from = p + blockIdx.x * classes;
  const std::int64_t label = labels[blockIdx.x];
  const bool counts = label >= 0 && label < classes;
  const std::int64_t known = counts ? label : 0;
  const std::int64_t rank = rank_of(from, classes, known);
  // A probability that fp32 rounds to 0 counts as the least that it can hold.
  const double own = from[known] == 0 ? static_cast<double>(FLT_TRUE_MIN) : from[known];
  if (threadIdx.x == 0)
    scores[blockIdx.x] = counts ? Score{-log(own), 1, rank < 1, rank < 5}
                                : Score{label == -1 ? 0.0 : static_cast<double>(NAN), 0, 0, 0};
}

// The sum of the losses of images [first, first + count), count a power of two, those beyond all
// images being 0: neighbours, then sums of two, of four and so on.
__device__ inline double pairwise(const Score* scores, std::int64_t images, std::int64_t first,
                                  std::int64_t count) {
  double sums[32];
  for (std::int64_t i = 0; i < count; ++i) {
    double sum = first + i < images ? scores[first + i].loss : 0.0;
    int level = 0;
    for (std::int64_t full = i; (full & 1) != 0; full >>= 1) sum = sums[level++] + sum;
    sums[level] = sum;
    if (i + 1 == count) return sum;
  }
  return 0;
}

// Replicas that hold the halves of a batch make the same sums as one rank does, to the last bit.
__global__ void add_up(const Score* scores, std::int64_t images, std::int64_t per_thread,
                       LossSums* sums) {
  __shared__ double losses[kBlock];
  __shared__ std::int64_t counts[kBlock];
  const int t = static_cast<int>(threadIdx.x);
  losses[t] = pairwise(scores, images, t * per_thread, per_thread);
  __syncthreads();
  for (int step = 1; step < kBlock; step *= 2) {
    if (t % (2 * step) == 0) losses[t] += losses[t + step];
    __syncthreads();
  }
  std::int64_t labelled = 0;
  std::int64_t top1 = 0;
  std::int64_t top5 = 0;
  for (std::int64_t i = t; i < images; i += kBlock) {
    labelled += scores[i].images;
    top1 += scores[i].top1;
    top5 += scores[i].top5;
  }
  labelled = block_sum(labelled, counts);
  top1 = block_sum(top1, counts);
  top5 = block_sum(top5, counts);
  if (t != 0) return;
  sums->loss = losses[0];
  sums->images = labelled;
  sums->top1 = top1;
  sums->top5 = top5;
}

class SoftmaxLossCuda : public SoftmaxLossOp {
 public:
  SoftmaxLossCuda(const CudaContext& context, std::int64_t images)
      : scores_(context.device.allocate(static_cast<std::size_t>(images) * sizeof(Score))),
        most_(images) {}

  void softmax(const OpContext& context, const Tensor& logits, const Tensor& p) override {
    with_type(logits.type, [&](auto value) {
      using T = decltype(value);
      launch_with_barriers(convoy::softmax<T>, blocks_of(logits), kBlock, native(context.stream),
                           data_of<T>(logits), logits.shape.per_row(), p.f32());
    });
  }

  void loss(const OpContext& context, const Tensor& logits, const Tensor& labels, float scale,
            const Tensor& dlogits, LossSums* sums) override {
    check_images(logits.shape.n, most_);
    with_type(logits.type, [&](auto value) {
      using T = decltype(value);
      launch_with_barriers(convoy::loss<T>, blocks_of(logits), kBlock, native(context.stream),
                           data_of<T>(logits), labels.i32(), logits.shape.per_row(), scale,
                           data_of<T>(dlogits), scores());
    });
    finish(context, logits.shape.n, sums);
  }

  void evaluate(const OpContext& context, const Tensor& p, const Tensor& labels,
                LossSums* sums) override {
    check_images(p.shape.n, most_);
    launch_with_barriers(convoy::evaluate, blocks_of(p), kBlock, native(context.stream), p.f32(),
                         labels.i32(), p.shape.per_row(), scores());
    finish(context, p.shape.n, sums);
  }

 private:
  [[nodiscard]] Score* scores() const { return static_cast<Score*>(scores_.data()); }
  static dim3 blocks_of(const Tensor& t) { return dim3(static_cast<unsigned>(t.shape.n)); }

  void finish(const OpContext& context, std::int64_t images, LossSums* sums) const {
    std::int64_t per_thread = 1;
    while (per_thread * kBlock < images) per_thread *= 2;
    launch_with_barriers(add_up, 1, kBlock, native(context.stream), scores(), images, per_thread,
                         sums);
  }

  Buffer scores_;
  std::int64_t most_;
};

}  // namespace

std::unique_ptr<SoftmaxLossOp> make_softmax_loss_cuda(const CudaContext& context,
                                                      std::int64_t images) {
  return std::make_unique<SoftmaxLossCuda>(context, images);
}

}  // namespace convoy
