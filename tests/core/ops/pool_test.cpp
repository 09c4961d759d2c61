// Max pooling: values, ties, clipped windows, gradients.
#include <limits>

#include "core/error.h"
#include "tests/core/ops/norm_pool_reference.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(Pool);

TEST_P(Pool, MatchesAPlainLoop) {
  for (const PoolSpec& spec :
       {PoolSpec{{2, 13, 13, 32}, 3, 2, false}, PoolSpec{{3, 6, 9, 17}, 3, 2, true},
        PoolSpec{{1, 8, 8, 5}, 2, 2, true}, PoolSpec{{2, 7, 7, 16}, 3, 1, false},
        PoolSpec{{1, 10, 5, 3}, 5, 1, true}, PoolSpec{{4, 2, 2, 1}, 3, 2, true},
        PoolSpec{{1, 9, 9, 48}, 2, 3, false}}) {
    auto x = random(spec.x);
    for (float& v : x) v = std::round(v * 4);  // many ties
    const auto [y, first] = pool_reference(spec, x);
    const auto op = ops().pool(spec);
    const auto context = this->context(op->workspace_bytes());
    const Buffer state = device().allocate(op->state_bytes());
    const Tensor yt = unset(spec.y());
    op->forward(context, upload(spec.x, x), yt, state.data());
    EXPECT_EQ(download(yt), y);

    const auto dy = random(spec.y());
    Doubles dx(x.size());
    for (std::size_t i = 0; i < dy.size(); ++i) dx[first[i]] += dy[i];
    const Tensor dxt = unset(spec.x);
    op->backward(context, yt, upload(spec.y(), dy), state.data(), dxt);
    expect_close(download(dxt), dx, 1e-6);

    // Masked: as if a ReLU below masked dx by x.
    PoolSpec masked = spec;
    masked.mask_dx = true;
    const Tensor dxm = unset(spec.x);
    ops().pool(masked)->backward(context, yt, upload(spec.y(), dy), state.data(), dxm);
    ops().relu()->backward(context, upload(spec.x, x), dxt);
    EXPECT_EQ(download(dxm), download(dxt));
  }
}

TEST_P(Pool, AWindowWithANaNGivesNaN) {
  const PoolSpec spec{{1, 3, 3, 20}, 3, 2, false};
  for (std::size_t place = 0; place < 9; ++place) {
    auto x = random(spec.x);
    x[place * 20 + 4] = std::numeric_limits<float>::quiet_NaN();
    const auto op = ops().pool(spec);
    const Buffer state = device().allocate(op->state_bytes());
    const Tensor y = unset(spec.y());
    op->forward(context(), upload(spec.x, x), y, state.data());
    for (std::size_t c = 0; c < 20; ++c) EXPECT_EQ(std::isnan(download(y)[c]), c == 4);
  }
}

TEST_P(Pool, TheMaskHidesNoNaNOfTheGradient) {
  PoolSpec spec{{1, 3, 3, 20}, 3, 2, false, true};
  auto x = random(spec.x);
  for (float& v : x) v = std::abs(v);
  const auto op = ops().pool(spec);
  const Buffer state = device().allocate(op->state_bytes());
  const Tensor y = unset(spec.y()), dx = unset(spec.x);
  op->forward(context(), upload(spec.x, x), y, state.data());
  op->backward(context(), y, upload(spec.y(), std::vector<float>(20, std::nanf(""))), state.data(),
               dx);
  std::int64_t found = 0;
  for (float v : download(dx)) found += std::isnan(v);
  EXPECT_EQ(found, 20);
}

TEST_P(Pool, RefusesWindowsThatDoNotFit) {
  EXPECT_THROW(ops().pool({{1, 2, 2, 4}, 3, 2, false}), Error);
  EXPECT_THROW(ops().pool({{1, 40, 40, 4}, 17, 2, false}), Error);
}

}  // namespace
}  // namespace convoy
