// Convolution against a plain double-precision loop, forward and both gradients.
#include "core/error.h"
#include "tests/core/ops/in_form.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(Conv);

// Calls f(y index, x index, w index) for every product of the convolution.
template <typename F>
void for_products(const ConvSpec& s, const F& f) {
  const Shape y = s.y();
  const Shape w = s.weights();
  const std::int64_t per_group = s.kernels / s.groups;
  for (std::int64_t n = 0; n < y.n; ++n)
    for (std::int64_t p = 0; p < y.h; ++p)
      for (std::int64_t q = 0; q < y.w; ++q)
        for (std::int64_t k = 0; k < y.c; ++k)
          for (std::int64_t r = 0; r < s.kernel; ++r)
            for (std::int64_t t = 0; t < s.kernel; ++t) {
              const std::int64_t row = p * s.stride - s.pad_begin + r;
              const std::int64_t column = q * s.stride - s.pad_begin + t;
              if (row < 0 || row >= s.x.h || column < 0 || column >= s.x.w) continue;
              for (std::int64_t c = 0; c < w.c; ++c)
                f(static_cast<std::size_t>(((n * y.h + p) * y.w + q) * y.c + k),
                  static_cast<std::size_t>(((n * s.x.h + row) * s.x.w + column) * s.x.c +
                                           k / per_group * w.c + c),
                  static_cast<std::size_t>(((k * s.kernel + r) * s.kernel + t) * w.c + c));
            }
}

std::vector<ConvSpec> shapes() {
  return {
      {{2, 31, 31, 3}, 16, 11, 4, 1, 2, 1, true, false},  // conv1, both ends of the padding
      {{3, 9, 9, 32}, 64, 5, 1, 2, 2, 2, true, true},     // conv2
      {{13, 5, 5, 16}, 24, 3, 1, 1, 1, 1, true, true},    // conv3
      {{2, 7, 7, 48}, 48, 3, 1, 1, 1, 2, false, true},    // conv4
      {{5, 6, 6, 24}, 32, 3, 1, 1, 1, 2, true, true},     // 12 channels per group
      {{1, 8, 10, 10}, 14, 3, 2, 0, 1, 2, false, true},   // 5 channels per group, wide, uneven pad
      {{4, 5, 4, 7}, 9, 2, 1, 0, 0, 1, true, true},
      {{2, 3, 3, 1}, 1, 1, 1, 0, 0, 1, false, true},
      {{2, 1, 1, 20}, 6, 1, 1, 0, 0, 2, false, true},
  };
}

TEST_P(Conv, MatchesDoublePrecision) {
  for (const ConvSpec& spec : shapes()) {
    const auto op = ops().conv(spec);
    SCOPED_TRACE(op->implementation());
    const auto context = this->context(op->workspace_bytes());
    const Shape ys = spec.y();
    const Shape bs{spec.kernels, 1, 1, 1};
    const auto x = random(spec.x), w = random(spec.weights()), b = random(bs), dy = random(ys);
    const Shape form = op->input_form().shape(spec.x.n);
    const Tensor xt = upload(form, in_form(op->input_form(), spec.x, x));
    const Tensor wt = upload(spec.weights(), w), bt = upload(bs, b);
    const Tensor dyt = upload(ys, dy), yt = unset(ys);

    Doubles y(dy.size());
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = b[i % static_cast<std::size_t>(spec.kernels)];
    for_products(spec, [&](auto yi, auto xi, auto wi) { y[yi] += double{x[xi]} * w[wi]; });
    if (spec.relu)
      for (double& v : y) v = std::max(0.0, v);
    op->forward(context, xt, wt, bt, yt);
    expect_close(download(yt), y, 2e-6);

    Doubles dw(w.size()), db(b.size());
    for_products(spec, [&](auto yi, auto xi, auto wi) { dw[wi] += double{x[xi]} * dy[yi]; });
    for (std::size_t i = 0; i < dy.size(); ++i) db[i % db.size()] += dy[i];
    const Tensor dwt = unset(spec.weights()), dbt = unset(bs);
    op->backward_weights(context, xt, dyt, dwt, dbt);
    expect_close(download(dwt), dw, 2e-6);
    expect_close(download(dbt), db, 2e-6);

    if (!spec.needs_dx) continue;
    Doubles dx(x.size());
    for_products(spec, [&](auto yi, auto xi, auto wi) { dx[xi] += double{w[wi]} * dy[yi]; });
    const Tensor dxt = unset(spec.x);
    op->backward_data(context, dyt, wt, dxt, nullptr);
    expect_close(download(dxt), dx, 2e-6);
    const Tensor masked = unset(spec.x);
    op->backward_data(context, dyt, wt, masked, &xt);
    ops().relu()->backward(context, xt, dxt);
    EXPECT_EQ(download(masked), download(dxt));
  }
}

TEST_P(Conv, GradientsAreThoseOfItsOwnForward) {
  const ConvSpec spec{{2, 5, 5, 4}, 6, 3, 2, 1, 1, 2, false, true};
  const auto op = ops().conv(spec);
  const auto context = this->context(op->workspace_bytes());
  const auto x = random(spec.x), w = random(spec.weights()), dy = random(spec.y());
  const auto zero = std::vector<float>(6);
  const Tensor bt = upload({6, 1, 1, 1}, zero), yt = unset(spec.y());
  const Tensor dyt = upload(spec.y(), dy);
  const auto floats = [](const Doubles& v) { return std::vector<float>(v.begin(), v.end()); };
  // The convolution is linear in x and in w, so a step of 1 is exact but for rounding.
  const Doubles dx = numerical_gradient(
      [&](const Doubles& at) {
        op->forward(context, upload(spec.x, floats(at)), upload(spec.weights(), w), bt, yt);
        return to_doubles(download(yt));
      },
      to_doubles(x), dy, 1);
  const Doubles dw = numerical_gradient(
      [&](const Doubles& at) {
        op->forward(context, upload(spec.x, x), upload(spec.weights(), floats(at)), bt, yt);
        return to_doubles(download(yt));
      },
      to_doubles(w), dy, 1);
  const Tensor dxt = unset(spec.x), dwt = unset(spec.weights()), dbt = unset({6, 1, 1, 1});
  op->backward_data(context, dyt, upload(spec.weights(), w), dxt, nullptr);
  op->backward_weights(context, upload(spec.x, x), dyt, dwt, dbt);
  expect_close(download(dxt), dx, 1e-5);
  expect_close(download(dwt), dw, 1e-5);
}

TEST_P(Conv, RefusesGroupsThatDoNotDivide) {
  EXPECT_THROW(ops().conv({{1, 5, 5, 3}, 4, 3, 1, 0, 0, 2}), Error);
  EXPECT_THROW(ops().conv({{1, 2, 2, 4}, 4, 3, 1, 0, 0, 2}), Error);
}

}  // namespace
}  // namespace convoy
