// Gradients of weights that no product reaches are exactly 0 where that is asked for.
#include "tests/core/ops/minimal_case.h"

namespace convoy {
namespace {

class MinimalZeros : public OnEachIsa {};
INSTANTIATE_TEST_SUITE_P(Devices, MinimalZeros, testing::ValuesIn(isa_cases()),
                         [](const auto& test) { return test.param.name; });

// Few numbers other than 0, and none in the first channel, so that many weights have no product.
ConvInputs draw_sparse_inputs(const ConvSpec& spec, std::uint32_t sequence) {
  ConvInputs inputs = draw_inputs(spec, sequence);
  Draws draws(500 + sequence);
  const auto thin_out = [&](std::vector<float>& values, std::int64_t channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const std::int64_t most = c == 0 && &values == &inputs.x ? 0 : draws.number(0, 40);  // of 100
      for (std::size_t i = static_cast<std::size_t>(c); i < values.size();
           i += static_cast<std::size_t>(channels))
        values[i] = draws.number(0, 99) < most ? draws.normal(0, 1) : 0.0f;
    }
  };
  thin_out(inputs.x, spec.x.c);
  thin_out(inputs.dy, spec.kernels);
  return inputs;
}

std::vector<ConvSpec> cases_for_zeros() {
  std::vector<ConvSpec> cases{
      inner({8, 3, 3, 16}, 24, 3, 1, 1),      inner({4, 7, 7, 16}, 24, 5, 2, 2),
      inner({4, 3, 3, 70}, 9, 3, 1, 1),       inner({2, 4, 5, 128}, 4, 3, 0, 1),
      inner({8, 3, 3, 8}, 40, 3, 1, 1, 2, 4), inner({16, 13, 13, 5}, 4, 3, 1, 1, 1, 2),
      inner({4, 2, 2, 24}, 6, 5, 4, 4, 2),    inner({1, 1, 1, 65}, 3, 3, 1, 1),
      first({2, 23, 27, 3}, 20, 11, 4, 0, 0), first({4, 19, 30, 3}, 10, 9, 2, 2, 2, 2),
      inner({2, 4, 4, 8}, 140, 3, 1, 1),
  };
  for (ConvSpec& spec : cases) spec.exact_zeros = true;
  return cases;
}

TEST_P(MinimalZeros, AreTheGradientsOfWeightsWithoutAProduct) {
  std::uint32_t sequence = 0;
  for (const ConvSpec& spec : cases_for_zeros()) {
    SCOPED_TRACE(describe(spec));
    const ConvInputs inputs = draw_sparse_inputs(spec, ++sequence);
    ConvInputs ones = inputs;  // sums of these count the products
    for (float& v : ones.x) v = v != 0 ? 1 : 0;
    for (float& v : ones.dy) v = v != 0 ? 1 : 0;
    const ExactConv products(spec, ones);
    const ConvResults actual = run(spec, inputs, 1);
    const ExactConv exact(spec, inputs);
    std::size_t without = 0;
    for (std::size_t i = 0; i < actual.dw.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      if (products.dw(at) == 0) ++without;
      EXPECT_EQ(actual.dw[i] == 0, products.dw(at) == 0) << "weight " << i;
    }
    EXPECT_GT(without, 0U);
    EXPECT_LT(without, actual.dw.size());
    EXPECT_LT(relative_error(actual.dw, [&](std::int64_t i) { return exact.dw(i); }), 1e-5);
    expect_same(actual, run(spec, inputs, 3));
  }
}

// A replica knows its own images only, and yet the sum is that of one rank.
TEST_P(MinimalZeros, AreThoseOfEachPartOfTheSum) {
  ConvSpec whole = inner({8, 3, 3, 16}, 24, 3, 1, 1, 1, 2);
  whole.exact_zeros = true;
  ConvSpec half = whole;
  half.x.n = 4;
  half.sum_parts = 1;
  const ConvInputs inputs = draw_sparse_inputs(whole, 1);
  EXPECT_TRUE(
      same_bits(run(whole, inputs).dw, added(run(half, some_images(whole, inputs, {0, 4})).dw,
                                             run(half, some_images(whole, inputs, {4, 8})).dw)));
}

}  // namespace
}  // namespace convoy
