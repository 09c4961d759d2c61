// Response normalisation and pooling in one, against double precision and against the two apart.
#include <bit>

#include "core/error.h"
#include "tests/core/ops/norm_pool_reference.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(LrnPool);

// Odd sizes and channels, clipped windows, gaps between windows, several groups, other exponents.
std::vector<LrnPoolSpec> specs() {
  return {
      {{{2, 7, 7, 32}, 16, 5, 0.5f, 0.75f, 1.0f}, 3, 2, false},
      {{{3, 6, 9, 34}, 17, 5, 0.5f, 0.75f, 2.0f}, 3, 2, true},
      {{{1, 8, 5, 21}, 7, 3, 0.3f, 0.75f, 2.0f}, 2, 2, true},
      {{{2, 5, 6, 13}, 13, 9, 0.2f, 0.6f, 1.5f}, 3, 1, false},
      {{{1, 10, 5, 3}, 3, 5, 0.9f, 0.75f, 0.5f}, 5, 1, true},
      {{{4, 2, 2, 6}, 1, 5, 2.0f, 1.0f, 1.0f}, 3, 2, true},
      {{{1, 9, 9, 48}, 48, 5, 0.5f, 0.75f, 2.0f}, 2, 3, false},
      {{{5, 13, 13, 48}, 24, 5, 1e-2f, 0.75f, 2.0f}, 3, 2, true},
  };
}

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> words;
  for (float v : values) words.push_back(std::bit_cast<std::uint32_t>(v));
  return words;
}

TEST_P(LrnPool, MatchesDoublePrecision) {
  for (LrnPoolSpec spec : specs()) {
    const Shape xs = spec.norm.x, ys = spec.pool().y();
    const auto x = random(xs), dy = random(ys);
    const auto forward = [&](const Doubles& at) {
      return pool_reference(spec.pool(), lrn_reference(spec.norm, at)).first;
    };
    for (const bool mask : {false, true}) {
      spec.mask_dx = mask;
      const auto op = ops().lrn_pool(spec);
      const auto context = this->context(op->workspace_bytes());
      const Buffer state = device().allocate(op->state_bytes());
      const Tensor xt = upload(xs, x), y = unset(ys), dx = unset(xs);
      op->forward(context, xt, y, state.data());
      expect_close(download(y), forward(to_doubles(x)), 1e-6);
      if (xs.count() > 1000) continue;  // each element costs two forward passes
      op->backward(context, xt, upload(ys, dy), state.data(), dx);
      Doubles expected = numerical_gradient(forward, to_doubles(x), dy, 1e-6);
      for (std::size_t i = 0; i < x.size(); ++i)
        if (mask && x[i] <= 0) expected[i] = 0;
      expect_close(download(dx), expected, 2e-6);
    }
  }
}

TEST_P(LrnPool, IsTheTwoApartToTheBit) {
  const auto one_thread = GetParam().make(1);
  for (LrnPoolSpec spec : specs())
    for (const bool mask : {false, true}) {
      spec.mask_dx = mask;
      const Shape xs = spec.norm.x, ys = spec.pool().y();
      auto x = random(xs);
      for (float& v : x) v = std::round(std::max(mask ? 0.0f : -1.0f, v) * 8);  // many ties
      x[x.size() / 3] = std::numeric_limits<float>::quiet_NaN();
      const Tensor xt = upload(xs, x), dy = upload(ys, random(ys));

      const auto norm = ops().lrn(spec.norm);
      const auto pool = ops().pool(spec.pool());
      const Buffer apart_state = device().allocate(pool->state_bytes());
      const Tensor between = unset(xs), y = unset(ys), dx = unset(xs);
      norm->forward(context(), xt, between);
      pool->forward(context(), between, y, apart_state.data());
      pool->backward(context(), y, dy, apart_state.data(), between);
      norm->backward(context(), xt, between, dx);
      if (mask) ops().relu()->backward(context(), xt, dx);

      for (Device* device : {&this->device(), one_thread.get()}) {
        const auto op = device->operations().lrn_pool(spec);
        const auto context = this->context(op->workspace_bytes());
        const Buffer state = device->allocate(op->state_bytes());
        const Tensor yt = unset(ys), dxt = unset(xs);
        op->forward(context, xt, yt, state.data());
        op->backward(context, xt, dy, state.data(), dxt);
        EXPECT_EQ(bits(download(yt)), bits(download(y)));
        EXPECT_EQ(bits(download(dxt)), bits(download(dx)));
        EXPECT_EQ(download_bytes(state), download_bytes(apart_state));
      }
    }
}

TEST_P(LrnPool, RefusesWhatTheTwoRefuse) {
  EXPECT_THROW(ops().lrn_pool({{{1, 9, 9, 8}, 3}}), Error);
  EXPECT_THROW(ops().lrn_pool({{{1, 9, 9, 8}, 4, 4}}), Error);
  EXPECT_THROW(ops().lrn_pool({{{1, 9, 9, 5000}, 5000}}), Error);
  EXPECT_THROW(ops().lrn_pool({{{1, 2, 2, 8}, 8}}), Error);
  EXPECT_THROW(ops().lrn_pool({{{1, 40, 40, 8}, 8}, 17}), Error);
}

}  // namespace
}  // namespace convoy
