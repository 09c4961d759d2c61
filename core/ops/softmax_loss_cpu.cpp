// Softmax and cross-entropy on the CPU; sums in double.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

// What one labelled image adds to the sums.
struct ImageScore {
  double loss = 0;
  bool top1 = false;
  bool top5 = false;
};

// How many classes rank before the label. With a NaN among the scores, all of them.
std::int64_t rank_of(const float* scores, std::int64_t classes, std::int64_t label) {
  const float own = scores[label];
  std::int64_t rank = 0;
  bool nan = false;
  for (std::int64_t c = 0; c < classes; ++c) {
    nan = nan || std::isnan(scores[c]);
    if (scores[c] > own || (scores[c] == own && c < label)) ++rank;
  }
  return nan ? classes + 5 : rank;
}

// The largest logit and the logarithm of the sum of exponentials above it.
struct Normaliser {
  double largest;
  double log_sum;

  Normaliser(const float* logits, std::int64_t classes) {
    largest = *std::max_element(logits, logits + classes);
    double sum = 0;
    for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(logits[c] - largest);
    log_sum = std::log(sum);
  }
  [[nodiscard]] double log_p(float logit) const { return logit - largest - log_sum; }
};

// The sum of halves that are summed alike, as long as they have halves: replicas that hold the
// halves of a batch make the same sums as one rank does, to the last bit. What has no halves is
// summed in order.
class PairwiseSum {
 public:
  explicit PairwiseSum(std::int64_t values)
      : leaf_(values > 0 ? values >> std::countr_zero(static_cast<std::uint64_t>(values)) : 1) {}

  void add(double value) {
    sum_ += value;
    if (++in_leaf_ < leaf_) return;
    double sum = std::exchange(sum_, 0.0);
    in_leaf_ = 0;
    std::size_t level = 0;
    for (std::uint64_t full = leaves_++; (full & 1) != 0; full >>= 1) sum = sums_[level++] + sum;
    sums_[level] = sum;
  }
  // Of all the values, once they are there.
  [[nodiscard]] double total() const {
    return leaves_ == 0 ? 0 : sums_[static_cast<std::size_t>(std::countr_zero(leaves_))];
  }

 private:
  std::int64_t leaf_;  // values of a sum without halves
  std::int64_t in_leaf_ = 0;
  double sum_ = 0;
  std::uint64_t leaves_ = 0;
  std::array<double, 64> sums_{};  // level l: of 2^l leaves, where bit l of their count is set
};

class SoftmaxLossCpu : public SoftmaxLossOp {
 public:
  explicit SoftmaxLossCpu(CpuTeam team) : team_(team) {}

  void softmax(const OpContext&, const Tensor& logits, const Tensor& p) override {
    const std::int64_t classes = logits.shape.per_row();
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t i = 0; i < logits.shape.n; ++i) {
      const float* const from = logits.f32() + i * classes;
      float* const to = p.f32() + i * classes;
      const Normaliser normaliser(from, classes);
      for (std::int64_t c = 0; c < classes; ++c)
        to[c] = static_cast<float>(std::exp(normaliser.log_p(from[c])));
    }
  }

  void loss(const OpContext&, const Tensor& logits, const Tensor& labels, float scale,
            const Tensor& dlogits, LossSums* sums) override {
    const std::int64_t classes = logits.shape.per_row();
    add_up(labels, logits.shape.n, classes, sums, [&](std::int64_t i, std::int64_t label) {
      const float* const from = logits.f32() + i * classes;
      float* const to = dlogits.f32() + i * classes;
      if (label < 0) {
        std::fill_n(to, classes, 0.0f);
        return ImageScore{};
      }
      const Normaliser normaliser(from, classes);
      const std::int64_t rank = rank_of(from, classes, label);
      const ImageScore score{-normaliser.log_p(from[label]), rank < 1, rank < 5};
      for (std::int64_t c = 0; c < classes; ++c)
        to[c] = static_cast<float>(scale *
                                   (std::exp(normaliser.log_p(from[c])) - (c == label ? 1 : 0)));
      return score;
    });
  }

  void evaluate(const OpContext&, const Tensor& p, const Tensor& labels, LossSums* sums) override {
    const std::int64_t classes = p.shape.per_row();
    add_up(labels, p.shape.n, classes, sums, [&](std::int64_t i, std::int64_t label) {
      if (label < 0) return ImageScore{};
      const float* const from = p.f32() + i * classes;
      const std::int64_t rank = rank_of(from, classes, label);
      // A probability that fp32 rounds to 0 counts as the least that it can hold.
      const float own = from[label] == 0 ? std::numeric_limits<float>::denorm_min() : from[label];
      return ImageScore{-std::log(static_cast<double>(own)), rank < 1, rank < 5};
    });
  }

 private:
  // score(image, label) for every image, side by side.
  template <typename Score>
  void add_up(const Tensor& labels, std::int64_t images, std::int64_t classes, LossSums* sums,
              const Score& score) const {
    const std::int32_t* const label = labels.i32();
    for (std::int64_t i = 0; i < images; ++i)
      if (label[i] < -1 || label[i] >= classes)
        fail(ExitCode::bad_data, "Image {} of the batch has label {}, but there are {} classes.", i,
             label[i], classes);
    *sums = {};
    PairwiseSum loss(images);
    std::array<ImageScore, 64> scores;
    for (std::int64_t begin = 0; begin < images; begin += 64) {
      const std::int64_t end = std::min<std::int64_t>(images, begin + 64);
#pragma omp parallel for schedule(static) num_threads(team_.threads)
      for (std::int64_t i = begin; i < end; ++i)
        scores[static_cast<std::size_t>(i - begin)] = score(i, label[i]);
      for (std::int64_t i = begin; i < end; ++i) {
        const ImageScore& s = scores[static_cast<std::size_t>(i - begin)];
        loss.add(s.loss);
        if (label[i] < 0) continue;
        sums->images += 1;
        sums->top1 += s.top1;
        sums->top5 += s.top5;
      }
    }
    sums->loss = loss.total();
  }

  CpuTeam team_;
};

}  // namespace

void check_images(std::int64_t images, std::int64_t most) {
  if (images > most)
    fail(ExitCode::usage, "The loss is of {} images, but was made for {} at most.", images, most);
}

std::unique_ptr<SoftmaxLossOp> make_softmax_loss_cpu(CpuTeam team) {
  return std::make_unique<SoftmaxLossCpu>(team);
}

}  // namespace convoy
