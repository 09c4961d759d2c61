// Convolution by minimal filtering against double precision over many shapes, and what it refuses.
#include "core/error.h"
#include "core/ops/minimal_tiles.h"
#include "tests/core/ops/minimal_case.h"

namespace convoy {
namespace {

class MinimalConv : public OnEachIsa {};
INSTANTIATE_TEST_SUITE_P(Devices, MinimalConv, testing::ValuesIn(isa_cases()),
                         [](const auto& test) { return test.param.name; });

TEST_P(MinimalConv, MatchesDoublePrecision) {
  constexpr double kTolerance = 1e-5;
  std::uint32_t sequence = 0;
  std::vector<ConvSpec> cases = corner_cases();
  for (std::uint32_t i = 0; i < 64; ++i) cases.push_back(drawn_case(i));
  for (const ConvSpec& spec : cases) {
    SCOPED_TRACE(describe(spec));
    const ConvInputs inputs = draw_inputs(spec, ++sequence);
    const ConvResults actual = run(spec, inputs);
    const ExactConv exact(spec, inputs);
    const auto error = [&](const std::vector<float>& v, auto method, bool relu = false) {
      return relative_error(
          v, [&](std::int64_t i) { return (exact.*method)(i); }, relu);
    };
    EXPECT_LT(error(actual.y, &ExactConv::y, spec.relu), kTolerance) << "forward";
    if (spec.needs_dx) {
      EXPECT_LT(error(actual.dx, &ExactConv::dx), kTolerance) << "dX";
    }
    EXPECT_LT(error(actual.dw, &ExactConv::dw), kTolerance) << "dW";
    EXPECT_LT(error(actual.db, &ExactConv::db), kTolerance) << "db";
  }
}

TEST_P(MinimalConv, RefusesWhatItCannotDo) {
  CpuDevice device(1, GetParam().isa);
  const auto refuses = [&](const ConvSpec& spec) {
    EXPECT_THROW(device.operations().conv(spec), Error) << describe(spec);
  };
  const auto makes = [&](const ConvSpec& spec) {
    EXPECT_NO_THROW(device.operations().conv(spec)) << describe(spec);
  };
  for (std::int64_t kernel : {1, 2, 4, 6, 7, 11}) refuses(inner({2, 14, 14, 4}, 4, kernel, 0, 0));
  refuses(inner({2, 14, 14, 4}, 4, 3, 3, 0));  // padding of a whole filter
  refuses(inner({2, 14, 14, 4}, 4, 5, 0, 5));
  makes(first({2, 14, 14, 3}, 4, 5, 2, 0, 0));
  ConvSpec strided = first({2, 14, 14, 4}, 4, 5, 2, 0, 0);
  strided.needs_dx = true;
  refuses(strided);
  strided.needs_dx = false;
  strided.groups = 2;
  refuses(strided);
  refuses(first({2, 14, 14, 3}, 4, 3, 4, 0, 0));   // one tap
  refuses(first({2, 14, 14, 3}, 4, 7, 2, 0, 0));   // four
  refuses(first({2, 14, 14, 3}, 4, 11, 2, 0, 0));  // six
  for (std::int64_t parts : {-1, 0, 3, 4, 6, 8}) refuses(inner({6, 5, 5, 4}, 4, 3, 1, 1, 1, parts));
  makes(inner({6, 5, 5, 4}, 4, 3, 1, 1, 1, 2));
}

TEST_P(MinimalConv, RefusesAGradientThatItWasNotMadeFor) {
  CpuDevice device(1, GetParam().isa);
  const auto stream = device.make_stream();
  ConvSpec spec = inner({1, 4, 4, 2}, 2, 3, 1, 1);
  spec.needs_dx = false;
  const auto op = device.operations().conv(spec);
  EXPECT_THROW(op->backward_data({*stream}, {}, {}, {}, nullptr), Error);
}

// The last finite point belongs to large tiles only, so that its planes have fewer rows.
TEST(MinimalPlan, CutsSidesIntoTilesOfTwoSizes) {
  const auto& f53 = *cpu::kernels_for(cpu::Isa::baseline).minimal3;
  const auto& f45 = *cpu::kernels_for(cpu::Isa::baseline).minimal5;
  struct Side {
    const cpu::MinimalKernels& kernels;
    std::int64_t extent, count, large;
  };
  for (const Side& side :
       {Side{f53, 13, 3, 1}, Side{f45, 27, 7, 6}, Side{f53, 55, 11, 11}, Side{f53, 1, 1, 0},
        Side{f53, 4, 1, 0}, Side{f53, 5, 1, 1}, Side{f53, 6, 2, 0}, Side{f45, 8, 2, 2}}) {
    SCOPED_TRACE(side.extent);
    const MinimalPlan plan(side.kernels, side.extent, 1);
    const cpu::MinimalBlock block = plan.block(3, 0, plan.tile_rows());
    const cpu::TileSide rows = block.rows;
    EXPECT_EQ(rows.count, side.count);
    EXPECT_EQ(rows.large, side.large);
    const std::int64_t products = side.kernels.outputs + side.kernels.taps - 1;
    EXPECT_EQ(plan.rows(0, block), 3 * side.count);
    EXPECT_EQ(plan.rows((products - 1) * products, block), 3 * side.count);
    EXPECT_EQ(plan.rows((products - 2) * products, block), 3 * side.large);
  }
}

}  // namespace
}  // namespace convoy
