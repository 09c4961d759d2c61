// Response normalisation over pixels: values and gradients.
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(SpatialNorm);

Doubles reference(const SpatialNormSpec& s, const Doubles& x) {
  Doubles y(x.size());
  const auto at = [&](std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
    return static_cast<std::size_t>(((n * s.x.h + h) * s.x.w + w) * s.x.c + c);
  };
  for (std::int64_t n = 0; n < s.x.n; ++n)
    for (std::int64_t h = 0; h < s.x.h; ++h)
      for (std::int64_t w = 0; w < s.x.w; ++w)
        for (std::int64_t c = 0; c < s.x.c; ++c) {
          double sum = 0;
          for (std::int64_t r = std::max<std::int64_t>(0, h - s.size / 2);
               r <= std::min(s.x.h - 1, h + s.size / 2); ++r)
            for (std::int64_t t = std::max<std::int64_t>(0, w - s.size / 2);
                 t <= std::min(s.x.w - 1, w + s.size / 2); ++t)
              sum += x[at(n, r, t, c)] * x[at(n, r, t, c)];
          y[at(n, h, w, c)] =
              x[at(n, h, w, c)] * std::pow(double{s.k} + double{s.alpha} * sum, -double{s.beta});
        }
  return y;
}

TEST_P(SpatialNorm, MatchesDoublePrecision) {
  for (const SpatialNormSpec& spec : {SpatialNormSpec{{3, 7, 6, 5}, 5, 0.2f, 0.75f, 1.0f},
                                      SpatialNormSpec{{2, 3, 4, 17}, 3, 0.3f, 0.6f, 2.0f},
                                      SpatialNormSpec{{1, 1, 2, 3}, 5, 0.5f, 0.75f, 1.0f},
                                      SpatialNormSpec{{5, 4, 4, 2}, 1, 0.5f, 0.75f, 1.0f}}) {
    const auto x = random(spec.x), dy = random(spec.x);
    const auto op = ops().spatial_norm(spec);
    const auto context = this->context(op->workspace_bytes());
    const Tensor xt = upload(spec.x, x), y = unset(spec.x), dx = unset(spec.x);
    op->forward(context, xt, y);
    op->backward(context, xt, upload(spec.x, dy), dx);
    expect_close(download(y), reference(spec, to_doubles(x)), 1e-6);
    expect_close(download(dx),
                 numerical_gradient([&](const Doubles& at) { return reference(spec, at); },
                                    to_doubles(x), dy),
                 2e-6);
  }
}

}  // namespace
}  // namespace convoy
