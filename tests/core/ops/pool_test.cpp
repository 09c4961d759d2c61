// Max pooling: values, ties, clipped windows, gradients.
#include <limits>

#include "core/error.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(Pool);

// y, and for each output the index of the first maximum in x.
std::pair<std::vector<float>, std::vector<std::size_t>> reference(const PoolSpec& s,
                                                                  const std::vector<float>& x) {
  const Shape ys = s.y();
  std::vector<float> y;
  std::vector<std::size_t> first;
  for (std::int64_t n = 0; n < ys.n; ++n)
    for (std::int64_t p = 0; p < ys.h; ++p)
      for (std::int64_t q = 0; q < ys.w; ++q)
        for (std::int64_t c = 0; c < ys.c; ++c) {
          float best = -std::numeric_limits<float>::infinity();
          std::size_t place = 0;
          for (std::int64_t h = p * s.stride; h < std::min(s.x.h, p * s.stride + s.kernel); ++h)
            for (std::int64_t w = q * s.stride; w < std::min(s.x.w, q * s.stride + s.kernel); ++w) {
              const auto at = static_cast<std::size_t>(((n * s.x.h + h) * s.x.w + w) * s.x.c + c);
              if (x[at] > best) {
                best = x[at];
                place = at;
              }
            }
          y.push_back(best);
          first.push_back(place);
        }
  return {y, first};
}

TEST_P(Pool, MatchesAPlainLoop) {
  for (const PoolSpec& spec :
       {PoolSpec{{2, 13, 13, 32}, 3, 2, false}, PoolSpec{{3, 6, 9, 17}, 3, 2, true},
        PoolSpec{{1, 8, 8, 5}, 2, 2, true}, PoolSpec{{2, 7, 7, 16}, 3, 1, false},
        PoolSpec{{1, 10, 5, 3}, 5, 1, true}, PoolSpec{{4, 2, 2, 1}, 3, 2, true},
        PoolSpec{{1, 9, 9, 48}, 2, 3, false}}) {
    auto x = random(spec.x);
    for (float& v : x) v = std::round(v * 4);  // many ties
    const auto [y, first] = reference(spec, x);
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
    op->backward(context, upload(spec.y(), dy), state.data(), dxt);
    expect_close(download(dxt), dx, 1e-6);
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

TEST_P(Pool, RefusesWindowsThatDoNotFit) {
  EXPECT_THROW(ops().pool({{1, 2, 2, 4}, 3, 2, false}), Error);
  EXPECT_THROW(ops().pool({{1, 40, 40, 4}, 17, 2, false}), Error);
}

}  // namespace
}  // namespace convoy
