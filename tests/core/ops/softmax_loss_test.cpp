// Softmax and cross-entropy: values, gradient, padding, ranks among ties, NaN.
#include <limits>

#include "core/error.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

class SoftmaxLossBase : public OpTest {
 protected:
  struct Result {
    LossSums sums;
    std::vector<float> gradient;
  };
  Result loss(const Shape& shape, const std::vector<float>& logits,
              const std::vector<std::int32_t>& labels, float scale = 1) {
    const Tensor gradient = unset(shape);
    const Buffer sums = device().allocate(sizeof(LossSums));
    const auto op = ops().softmax_loss(96);
    op->loss(context(), upload(shape, logits), upload_as({shape.n, 1, 1, 1}, labels, DType::i32),
             scale, gradient, static_cast<LossSums*>(sums.data()));
    return {download_as<LossSums>(sums.data()), download(gradient)};
  }
};

class SoftmaxLoss : public SoftmaxLossBase {};
INSTANTIATE_TEST_SUITE_P(Devices, SoftmaxLoss, testing::ValuesIn(device_cases()),
                         [](const auto& test) { return test.param.name; });

class SoftmaxLossOnCpu : public SoftmaxLossBase {};
INSTANTIATE_TEST_SUITE_P(Devices, SoftmaxLossOnCpu, testing::ValuesIn(cpu_cases()),
                         [](const auto& test) { return test.param.name; });

// Replicas with equal shares of a batch add up to what one rank makes of all of it.
TEST_P(SoftmaxLossOnCpu, SumsOfHalvesAreTheWhole) {
  constexpr std::int64_t kClasses = 7;
  const auto part = [](const auto& all, std::int64_t row, std::int64_t begin, std::int64_t end) {
    return std::vector(all.begin() + begin * row, all.begin() + end * row);
  };
  for (const std::int64_t images : {2, 4, 6, 12, 20, 24, 56, 64, 96}) {
    SCOPED_TRACE(images);
    const auto logits = random({images, 1, 1, kClasses});
    const std::vector<std::int32_t> labels(static_cast<std::size_t>(images), 3);
    const auto sum = [&](std::int64_t begin, std::int64_t end) {
      return loss({end - begin, 1, 1, kClasses}, part(logits, kClasses, begin, end),
                  part(labels, 1, begin, end))
          .sums.loss;
    };
    for (std::int64_t share = images; share % 2 == 0; share /= 2)
      for (std::int64_t begin = 0; begin < images; begin += share)
        EXPECT_EQ(sum(begin, begin + share),
                  sum(begin, begin + share / 2) + sum(begin + share / 2, begin + share));
  }
}

TEST_P(SoftmaxLoss, MatchesDoublePrecisionAndItsGradient) {
  for (const Shape& shape : {Shape{13, 1, 1, 10}, Shape{70, 1, 1, 3}, Shape{1, 1, 1, 1000}}) {
    const auto logits = random(shape);
    const auto classes = static_cast<std::size_t>(shape.c);
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < shape.n; ++i)
      labels.push_back(static_cast<std::int32_t>(i * 7 % shape.c));
    const auto value = [&](const Doubles& x) {
      Doubles losses;
      for (std::size_t i = 0; i < labels.size(); ++i) {
        double sum = 0;
        for (std::size_t c = 0; c < classes; ++c) sum += std::exp(x[i * classes + c]);
        losses.push_back(std::log(sum) - x[i * classes + static_cast<std::size_t>(labels[i])]);
      }
      return losses;
    };
    const auto result = loss(shape, logits, labels, 0.125f);
    double expected = 0;
    for (double l : value(to_doubles(logits))) expected += l;
    EXPECT_NEAR(result.sums.loss, expected, 1e-12 * expected);
    EXPECT_EQ(result.sums.images, shape.n);
    expect_close(
        result.gradient,
        numerical_gradient(value, to_doubles(logits), std::vector<float>(labels.size(), 0.125f)),
        1e-6);
  }
}

TEST_P(SoftmaxLoss, PaddingCountsNothing) {
  const auto result = loss({2, 1, 1, 6}, random({2, 1, 1, 6}), {-1, 3});
  EXPECT_EQ(result.sums.images, 1);
  for (std::size_t c = 0; c < 6; ++c) EXPECT_EQ(result.gradient[c], 0);
}

TEST_P(SoftmaxLoss, LowerClassesWinTies) {
  const std::vector<float> equal(7, 0.5f);
  EXPECT_EQ(loss({1, 1, 1, 7}, equal, {0}).sums.top1, 1);
  EXPECT_EQ(loss({1, 1, 1, 7}, equal, {1}).sums.top1, 0);
  EXPECT_EQ(loss({1, 1, 1, 7}, equal, {4}).sums.top5, 1);
  EXPECT_EQ(loss({1, 1, 1, 7}, equal, {5}).sums.top5, 0);
}

TEST_P(SoftmaxLoss, NaNIsWrongAndShows) {
  std::vector<float> logits{5, 1, 2, std::numeric_limits<float>::quiet_NaN()};
  for (int place = 0; place < 4; ++place) {
    const auto result = loss({1, 1, 1, 4}, logits, {0});
    EXPECT_TRUE(std::isnan(result.sums.loss));
    EXPECT_EQ(result.sums.top1, 0);
    EXPECT_EQ(result.sums.top5, 0);
    std::rotate(logits.begin(), logits.begin() + 1, logits.end());
  }
}

TEST_P(SoftmaxLoss, LargeLogitsDoNotOverflow) {
  const auto result = loss({1, 1, 1, 3}, {1e4f, 0, -1e4f}, {1});
  EXPECT_DOUBLE_EQ(result.sums.loss, 1e4);
}

TEST_P(SoftmaxLoss, SoftmaxMayOverwriteItsLogits) {
  const Shape shape{5, 1, 1, 11};
  const auto logits = random(shape);
  const Tensor x = upload(shape, logits), p = unset(shape);
  ops().softmax_loss(64)->softmax(context(), x, p);
  ops().softmax_loss(64)->softmax(context(), x, x);
  EXPECT_EQ(download(x), download(p));
  Doubles expected(logits.size());
  for (std::size_t i = 0; i < 5; ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < 11; ++c) sum += std::exp(double{logits[i * 11 + c]});
    for (std::size_t c = 0; c < 11; ++c)
      expected[i * 11 + c] = std::exp(double{logits[i * 11 + c]}) / sum;
  }
  expect_close(download(p), expected, 1e-6);
}

TEST_P(SoftmaxLoss, EvaluatesProbabilities) {
  const Shape shape{3, 1, 1, 6};
  const std::vector<float> p{.5f, .1f, .1f, .1f, .1f, .1f, .2f, .2f, .2f,
                             .2f, .2f, 0,   1,   0,   0,   0,   0,   0};
  const Buffer sums = device().allocate(sizeof(LossSums));
  const auto op = ops().softmax_loss(64);
  op->evaluate(context(), upload(shape, p),
               upload_as({3, 1, 1, 1}, std::vector<std::int32_t>{0, 5, -1}, DType::i32),
               static_cast<LossSums*>(sums.data()));
  const auto result = download_as<LossSums>(sums.data());
  EXPECT_EQ(result.images, 2);
  EXPECT_EQ(result.top1, 1);
  EXPECT_EQ(result.top5, 1);
  EXPECT_NEAR(result.loss, std::log(2.0) + 149 * std::log(2.0), 1e-9);  // 0 counts as 2^-149
}

// Where the host does not see the labels, they show in the loss.
TEST_P(SoftmaxLoss, RefusesLabelsBeyondTheClasses) {
  for (const std::int32_t label : {4, -2}) {
    if (device().kind() == DeviceKind::cpu)
      EXPECT_THROW(loss({1, 1, 1, 4}, {1, 2, 3, 4}, {label}), Error);
    else
      EXPECT_TRUE(std::isnan(loss({1, 1, 1, 4}, {1, 2, 3, 4}, {label}).sums.loss));
  }
}

}  // namespace
}  // namespace convoy
