// Dropout: every element's fate is the one that random.h's source gives it.
#include "core/error.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(Dropout);

bool kept(const DropoutSpec& s, const DropoutDraw& d, std::int64_t image, std::int64_t pixel,
          std::int64_t channel) {
  const RandomSource source(d.seed, Purpose::dropout, s.layer);
  const auto e = static_cast<std::uint32_t>(pixel * s.channels + s.first_channel + channel);
  const auto place = static_cast<std::uint32_t>(d.first_image + image);
  if (s.drop == 0.5) return (source.block(d.step, place, e / 128)[e / 32 % 4] >> (e % 32) & 1) != 0;
  return uniform(source.block(d.step, place, e / 4)[e % 4]) >= s.drop;
}

TEST_P(Dropout, FollowsTheNumberingOfElements) {
  for (const double drop : {0.5, 0.25, 0.4, 0.0})
    for (const DropoutSpec& spec :
         {DropoutSpec{{3, 1, 1, 4096}, 4096, 0, 1, drop},
          DropoutSpec{{2, 1, 1, 1365}, 4096, 1366, 2, drop},
          DropoutSpec{{5, 3, 2, 29}, 64, 33, 0, drop}, DropoutSpec{{2, 6, 6, 256}, 256, 0, 3, drop},
          DropoutSpec{{1, 1, 1, 1}, 1, 0, 0, drop}}) {
      const DropoutDraw draw{0x1234567890abcdef, 77, 1000};
      const auto x = random(spec.x);
      const Tensor xt = upload(spec.x, x);
      ops().dropout(spec)->apply(context(), draw, 2.0f, xt);
      const auto actual = download(xt);
      std::vector<float> expected;
      for (std::int64_t n = 0; n < spec.x.n; ++n)
        for (std::int64_t p = 0; p < spec.x.h * spec.x.w; ++p)
          for (std::int64_t c = 0; c < spec.x.c; ++c)
            expected.push_back(kept(spec, draw, n, p, c) ? x[expected.size()] * 2 : 0);
      EXPECT_EQ(actual, expected);
    }
}

TEST_P(Dropout, KeepsAboutTheRightShare) {
  for (const double drop : {0.5, 0.1}) {
    const DropoutSpec spec{{16, 1, 1, 4096}, 4096, 0, 0, drop};
    const Tensor x = upload(spec.x, std::vector<float>(16 * 4096, 1.0f));
    ops().dropout(spec)->apply(context(), {1, 2, 3}, 1.0f, x);
    double sum = 0;
    for (float v : download(x)) sum += v;
    EXPECT_NEAR(sum / (16 * 4096), 1 - drop, 0.01);
  }
}

TEST_P(Dropout, RescalesForTestTime) {
  const DropoutSpec spec{{3, 1, 1, 37}, 37};
  const auto x = random(spec.x);
  const Tensor xt = upload(spec.x, x);
  ops().dropout(spec)->rescale(context(), 0.5f, xt);
  auto expected = x;
  for (float& v : expected) v *= 0.5f;
  EXPECT_EQ(download(xt), expected);
}

TEST_P(Dropout, RefusesImpossibleSpecs) {
  EXPECT_THROW(ops().dropout({{1, 1, 1, 4}, 4, 0, 0, 1.0}), Error);
  EXPECT_THROW(ops().dropout({{1, 1, 1, 4}, 6, 3, 0, 0.5}), Error);
}

}  // namespace
}  // namespace convoy
