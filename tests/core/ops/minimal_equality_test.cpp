// Convolution by minimal filtering is bit for bit the same on other threads, ranks and batches.
#include "tests/core/ops/minimal_case.h"

namespace convoy {
namespace {

class MinimalEquality : public OnEachIsa {};
INSTANTIATE_TEST_SUITE_P(Devices, MinimalEquality, testing::ValuesIn(isa_cases()),
                         [](const auto& test) { return test.param.name; });

TEST_P(MinimalEquality, ThreadsDoNotChangeABit) {
  std::vector<ConvSpec> cases = corner_cases();
  for (std::uint32_t i = 0; i < 16; ++i) cases.push_back(drawn_case(i));
  for (const ConvSpec& spec : cases) {
    SCOPED_TRACE(describe(spec));
    const ConvInputs inputs = draw_inputs(spec, 1);
    const ConvResults one = run(spec, inputs, 1);
    expect_same(one, run(spec, inputs, 2));
    expect_same(one, run(spec, inputs, 3));
  }
}

std::vector<ConvSpec> cases_for_equality() {
  return {
      inner({3, 13, 13, 24}, 40, 3, 1, 1),    // halves of 20 kernels: not whole vectors
      inner({2, 9, 14, 20}, 96, 5, 2, 2, 2),  // 48 kernels in a group
      inner({2, 14, 9, 38}, 50, 3, 1, 0, 2),  // 19 channels, 25 kernels
      inner({2, 11, 13, 7}, 30, 5, 1, 4),
      inner({1, 6, 5, 12}, 256, 3, 1, 1),        // several blocks of kernels
      inner({4, 30, 30, 3}, 22, 5, 2, 2, 1, 2),  // several blocks of images
      first({2, 47, 51, 3}, 48, 11, 4, 0, 0),
      first({2, 30, 29, 3}, 10, 9, 2, 3, 2),
  };
}

TEST_P(MinimalEquality, ARankWithHalfOfTheKernelsMakesTheSameValues) {
  for (const ConvSpec& whole : cases_for_equality()) {
    SCOPED_TRACE(describe(whole));
    const ConvInputs inputs = draw_inputs(whole, 2);
    const ConvResults expected = run(whole, inputs);
    const std::int64_t filter = whole.weights().per_row();
    for (std::int64_t half : {0, 1}) {
      const Range kernels{half * whole.kernels / 2, (half + 1) * whole.kernels / 2};
      // Of two groups, the half is one group with its own channels.
      const std::int64_t channels = whole.x.c / whole.groups;
      const Range reads =
          whole.groups == 1 ? Range{0, channels} : Range{half * channels, (half + 1) * channels};
      ConvSpec spec = whole;
      spec.x.c = reads.size();
      spec.kernels = kernels.size();
      spec.groups = 1;
      const ConvResults part = run(spec, {.x = some_channels(inputs.x, whole.x.c, reads),
                                          .w = some_rows(inputs.w, filter, kernels),
                                          .b = some_rows(inputs.b, 1, kernels),
                                          .dy = some_channels(inputs.dy, whole.kernels, kernels)});
      EXPECT_TRUE(same_bits(part.y, some_channels(expected.y, whole.kernels, kernels)));
      EXPECT_TRUE(same_bits(part.dw, some_rows(expected.dw, filter, kernels)));
      EXPECT_TRUE(same_bits(part.db, some_rows(expected.db, 1, kernels)));
      if (whole.groups == 2) {
        EXPECT_TRUE(same_bits(part.dx, some_channels(expected.dx, whole.x.c, reads)));
      }
    }
  }
}

TEST_P(MinimalEquality, ImagesDoNotDependOnTheirBatch) {
  for (ConvSpec spec : cases_for_equality()) {
    spec.x.n = 7;
    spec.sum_parts = 1;
    SCOPED_TRACE(describe(spec));
    const ConvInputs inputs = draw_inputs(spec, 3);
    const ConvResults expected = run(spec, inputs);
    for (const Range& images : {Range{0, 1}, Range{1, 3}, Range{2, 7}}) {
      ConvSpec part = spec;
      part.x.n = images.size();
      const ConvResults actual = run(part, some_images(spec, inputs, images));
      EXPECT_TRUE(same_bits(actual.y, some_rows(expected.y, spec.y().per_row(), images)));
      if (spec.needs_dx) {
        EXPECT_TRUE(same_bits(actual.dx, some_rows(expected.dx, spec.x.per_row(), images)));
      }
    }
  }
}

TEST_P(MinimalEquality, PartsOfTheSumAreTheSumsOfHalves) {
  for (ConvSpec whole : cases_for_equality()) {
    whole.x.n = 8;
    SCOPED_TRACE(describe(whole));
    const ConvInputs inputs = draw_inputs(whole, 4);
    for (std::int64_t parts : {2, 4, 8}) {
      whole.sum_parts = parts;
      ConvSpec half = whole;
      half.x.n = 4;
      half.sum_parts = parts / 2;
      const ConvResults expected = run(whole, inputs);
      const ConvResults low = run(half, some_images(whole, inputs, {0, 4}));
      const ConvResults high = run(half, some_images(whole, inputs, {4, 8}));
      EXPECT_TRUE(same_bits(expected.dw, added(low.dw, high.dw))) << parts << " parts";
      EXPECT_TRUE(same_bits(expected.db, added(low.db, high.db))) << parts << " parts";
    }
  }
}

}  // namespace
}  // namespace convoy
