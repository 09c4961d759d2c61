// Fully connected layers against a plain double-precision loop.
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(FullyConnected);

TEST_P(FullyConnected, MatchesDoublePrecision) {
  for (const FullyConnectedSpec& spec :
       {FullyConnectedSpec{1, 1, 1, false}, FullyConnectedSpec{3, 17, 10, true},
        FullyConnectedSpec{13, 33, 29, true}, FullyConnectedSpec{8, 256, 1030, false},
        FullyConnectedSpec{5, 1152, 64, true}, FullyConnectedSpec{3, 2100, 513, true}}) {
    const auto op = ops().fully_connected(spec);
    const auto context = this->context(op->workspace_bytes());
    const auto n = static_cast<std::size_t>(spec.images), in = static_cast<std::size_t>(spec.in),
               out = static_cast<std::size_t>(spec.out);
    const Shape xs{spec.images, 1, 1, spec.in}, ys{spec.images, 1, 1, spec.out};
    const Shape ws{spec.out, 1, 1, spec.in}, bs{spec.out, 1, 1, 1};
    const auto x = random(xs), w = random(ws), b = random(bs), dy = random(ys);
    Doubles y(n * out), dx(n * in), dw(out * in), db(out);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t o = 0; o < out; ++o) {
        double sum = b[o];
        for (std::size_t j = 0; j < in; ++j) {
          sum += double{x[i * in + j]} * w[o * in + j];
          dx[i * in + j] += double{dy[i * out + o]} * w[o * in + j];
          dw[o * in + j] += double{dy[i * out + o]} * x[i * in + j];
        }
        y[i * out + o] = spec.relu ? std::max(0.0, sum) : sum;
        db[o] += dy[i * out + o];
      }
    const Tensor xt = upload(xs, x), wt = upload(ws, w), bt = upload(bs, b), dyt = upload(ys, dy);
    const Tensor yt = unset(ys), dxt = unset(xs), dwt = unset(ws), dbt = unset(bs);
    op->forward(context, xt, wt, bt, yt);
    op->backward_data(context, dyt, wt, dxt, nullptr);
    op->backward_weights(context, xt, dyt, dwt, dbt);
    expect_close(download(yt), y, 2e-6);
    expect_close(download(dxt), dx, 2e-6);
    const Tensor masked = unset(xs);
    op->backward_data(context, dyt, wt, masked, &xt);
    ops().relu()->backward(context, xt, dxt);
    EXPECT_EQ(download(masked), download(dxt));
    expect_close(download(dwt), dw, 2e-6);
    expect_close(download(dbt), db, 2e-6);
  }
}

}  // namespace
}  // namespace convoy
