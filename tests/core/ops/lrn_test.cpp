// Response normalisation across maps: values, gradients, and dx in dy's memory.
#include "core/error.h"
#include "tests/core/ops/norm_pool_reference.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(Lrn);

std::vector<LrnSpec> specs() {
  return {
      {{2, 3, 3, 96}, 48, 5, 1e-4f, 0.75f, 2.0f}, {{3, 2, 5, 32}, 16, 5, 0.5f, 0.75f, 1.0f},
      {{1, 3, 2, 21}, 7, 3, 0.3f, 0.75f, 2.0f},   {{2, 2, 2, 13}, 13, 9, 0.2f, 0.6f, 1.5f},
      {{1, 1, 3, 3}, 3, 5, 0.9f, 0.75f, 0.5f},    {{1, 2, 1, 1300}, 1300, 5, 0.1f, 0.75f, 2.0f},
      {{4, 1, 1, 6}, 1, 5, 2.0f, 1.0f, 1.0f},     {{1, 1, 1, 5}, 5, 1, 1.0f, 0.5f, 1.0f},
  };
}

TEST_P(Lrn, ForwardMatchesDoublePrecision) {
  for (const LrnSpec& spec : specs()) {
    const auto x = random(spec.x);
    const Tensor y = unset(spec.x);
    ops().lrn(spec)->forward(context(), upload(spec.x, x), y);
    expect_close(download(y), lrn_reference(spec, to_doubles(x)), 1e-6);
  }
}

TEST_P(Lrn, LargeInputsKeepTheirPrecision) {
  const LrnSpec spec{{1, 4, 4, 32}, 32};
  auto x = random(spec.x);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= std::pow(10.0f, static_cast<float>(i % 7));
  const Tensor y = unset(spec.x);
  ops().lrn(spec)->forward(context(), upload(spec.x, x), y);
  const auto expected = lrn_reference(spec, to_doubles(x));
  const auto actual = download(y);
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], 2e-6 * std::abs(expected[i])) << i;
}

TEST_P(Lrn, BackwardIsTheGradient) {
  for (const LrnSpec& spec : specs()) {
    if (spec.x.count() > 1000) continue;  // each element costs two forward passes
    const auto x = random(spec.x), dy = random(spec.x);
    const Doubles expected = numerical_gradient(
        [&](const Doubles& at) { return lrn_reference(spec, at); }, to_doubles(x), dy);
    const auto op = ops().lrn(spec);
    const Tensor xt = upload(spec.x, x), apart = unset(spec.x), in_place = upload(spec.x, dy);
    op->backward(context(), xt, upload(spec.x, dy), apart);
    expect_close(download(apart), expected, 2e-6);
    op->backward(context(), xt, in_place, in_place);
    EXPECT_EQ(download(in_place), download(apart));
  }
}

TEST_P(Lrn, WindowsStayInsideTheirGroup) {
  const LrnSpec spec{{1, 1, 1, 8}, 4, 5, 1.0f, 0.75f, 1.0f};
  std::vector<float> x(8, 0.0f);
  x[3] = 100.0f;  // beside channel 4, but in the other group
  x[4] = 1.0f;
  const Tensor y = unset(spec.x);
  ops().lrn(spec)->forward(context(), upload(spec.x, x), y);
  EXPECT_NEAR(download(y)[4], std::pow(2.0, -0.75), 1e-6);
}

TEST_P(Lrn, RefusesEvenWindowsAndUnevenGroups) {
  EXPECT_THROW(ops().lrn({{1, 1, 1, 8}, 3}), Error);
  EXPECT_THROW(ops().lrn({{1, 1, 1, 8}, 4, 4}), Error);
}

}  // namespace
}  // namespace convoy
