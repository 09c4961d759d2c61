// Convolution by minimal filtering: against double precision over many shapes, and bit for bit
// against itself on other threads, ranks and batches.
#include <fmt/format.h>

#include "core/error.h"
#include "core/ops/minimal_tiles.h"
#include "tests/core/ops/conv_case.h"

namespace convoy {
namespace {

struct IsaCase {
  std::string name;
  cpu::Isa isa;
  friend std::ostream& operator<<(std::ostream& out, const IsaCase& c) { return out << c.name; }
};

std::vector<IsaCase> isa_cases() {
  std::vector<IsaCase> cases;
  for (const IsaCase& c : {IsaCase{"baseline", cpu::Isa::baseline}, IsaCase{"avx2", cpu::Isa::avx2},
                           IsaCase{"avx512", cpu::Isa::avx512}})
    if (c.isa <= cpu::best_isa()) cases.push_back(c);
  return cases;
}

class MinimalConv : public testing::TestWithParam<IsaCase> {
 protected:
  static ConvResults run(const ConvSpec& spec, const ConvInputs& inputs, int threads = 2) {
    return run_conv(GetParam().isa, threads, spec, inputs);
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, MinimalConv, testing::ValuesIn(isa_cases()),
                         [](const auto& test) { return test.param.name; });

// Stride 1, with a gradient of the input.
ConvSpec inner(const Shape& x, std::int64_t kernels, std::int64_t kernel, std::int64_t pad_begin,
               std::int64_t pad_end, std::int64_t groups = 1, std::int64_t sum_parts = 1) {
  return {.x = x,
          .kernels = kernels,
          .kernel = kernel,
          .pad_begin = pad_begin,
          .pad_end = pad_end,
          .groups = groups,
          .method = ConvMethod::minimal,
          .sum_parts = sum_parts};
}

// A first layer with stride.
ConvSpec first(const Shape& x, std::int64_t kernels, std::int64_t kernel, std::int64_t stride,
               std::int64_t pad_begin, std::int64_t pad_end, std::int64_t sum_parts = 1) {
  return {.x = x,
          .kernels = kernels,
          .kernel = kernel,
          .stride = stride,
          .pad_begin = pad_begin,
          .pad_end = pad_end,
          .relu = true,
          .needs_dx = false,
          .method = ConvMethod::minimal,
          .sum_parts = sum_parts};
}

std::string describe(const ConvSpec& s) {
  return fmt::format(
      "{} images {}x{}x{}, {} kernels {}x{} stride {}, pad {}/{}, {} groups{}, {} "
      "parts",
      s.x.n, s.x.h, s.x.w, s.x.c, s.kernels, s.kernel, s.kernel, s.stride, s.pad_begin, s.pad_end,
      s.groups, s.relu ? ", ReLU" : "", s.sum_parts);
}

// Shapes that meet an edge of the code: of tiles, vectors, panels, blocks of kernels or images.
std::vector<ConvSpec> corner_cases() {
  return {
      inner({1, 1, 1, 1}, 1, 3, 1, 1),       // one pixel, one output
      inner({2, 3, 3, 5}, 7, 3, 0, 0),       // one output
      inner({1, 5, 5, 3}, 2, 5, 0, 0),       // one output
      inner({3, 1, 1, 17}, 16, 5, 2, 2),     // all but one tap in the padding
      inner({1, 1, 30, 4}, 5, 3, 2, 2),      // a line; more outputs than inputs
      inner({2, 30, 1, 4}, 5, 5, 4, 4),      // a column
      inner({2, 2, 4, 33}, 9, 3, 0, 1),      // smaller than a tile, no padding above
      inner({2, 3, 2, 9}, 33, 5, 4, 0),      // no padding below
      inner({4, 6, 6, 16}, 16, 3, 1, 1),     // small tiles only, the last half empty
      inner({4, 10, 10, 16}, 16, 3, 1, 1),   // large tiles only
      inner({13, 13, 13, 24}, 8, 3, 1, 1),   // 5 + 4 + 4
      inner({2, 27, 27, 12}, 16, 5, 2, 2),   // 6 x 4 + 3
      inner({3, 5, 4, 6}, 150, 3, 1, 1),     // three blocks of kernels forward
      inner({3, 5, 4, 150}, 6, 3, 1, 1, 2),  // 75 channels: two blocks of them in the gradient of x
      inner({2, 6, 7, 10}, 260, 5, 2, 2, 2),  // 130 kernels in a group
      inner({12, 30, 29, 3}, 20, 3, 1, 1),    // several blocks of images
      inner({9, 30, 30, 2}, 9, 5, 2, 2, 1),   // several blocks of images
      inner({8, 28, 30, 2}, 9, 5, 2, 2, 1, 2),
      inner({8, 3, 3, 8}, 8, 3, 1, 1, 2, 8),  // a part is one image
      first({2, 43, 35, 3}, 20, 11, 4, 0, 0),
      first({4, 41, 50, 3}, 17, 11, 4, 2, 1, 4),
      first({3, 31, 31, 3}, 33, 11, 4, 1, 2),
      first({1, 11, 11, 3}, 5, 11, 4, 0, 0),  // one output
      first({2, 40, 27, 3}, 16, 9, 3, 0, 2),
      first({2, 21, 30, 3}, 12, 9, 3, 4, 3),
      first({5, 30, 17, 3}, 24, 5, 2, 0, 0),
      first({6, 19, 30, 3}, 10, 5, 2, 2, 2, 2),
      first({2, 33, 28, 3}, 16, 9, 2, 0, 0),  // five taps
      first({2, 28, 33, 3}, 31, 9, 2, 4, 3),
      first({3, 20, 23, 1}, 8, 10, 4, 3, 0),  // taps that are not all there, one colour
  };
}

// Channels and kernels of every remainder of a vector, twice with either size of filter.
ConvSpec drawn_case(std::uint32_t index) {
  Draws draws(1000 + index);
  const std::int64_t half = index / 2;
  ConvSpec spec = inner({1, 1, 1, 1}, 1, index % 2 == 0 ? 3 : 5, 0, 0, draws.number(1, 2));
  spec.x.c = spec.groups * (1 + half % 16 + 16 * draws.number(0, 1) + 8 * draws.number(0, 1));
  spec.kernels = spec.groups * (1 + (5 * half + 3) % 16 + 16 * draws.number(0, 1));
  do {
    spec.pad_begin = draws.number(0, spec.kernel - 1);
    spec.pad_end = draws.number(0, spec.kernel - 1);
    spec.x.h = draws.number(1, 30);
    spec.x.w = draws.number(1, 30);
  } while (spec.y().h < 1 || spec.y().w < 1);
  spec.relu = draws.number(0, 1) == 1;
  spec.x.n = draws.number(1, 13);
  // What double precision can do in the time: fewer images, then smaller ones.
  const auto products = [&] { return spec.y().count() * spec.weights().per_row(); };
  constexpr std::int64_t kMost = 1'500'000;
  while (products() > kMost && spec.x.n > 1) --spec.x.n;
  while (products() > kMost) --(spec.y().h > spec.y().w ? spec.x.h : spec.x.w);
  while (draws.number(0, 1) == 1 && spec.x.n % (2 * spec.sum_parts) == 0) spec.sum_parts *= 2;
  return spec;
}

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

void expect_same(const ConvResults& a, const ConvResults& b) {
  EXPECT_TRUE(same_bits(a.y, b.y)) << "forward";
  EXPECT_TRUE(same_bits(a.dx, b.dx)) << "dX";
  EXPECT_TRUE(same_bits(a.dw, b.dw)) << "dW";
  EXPECT_TRUE(same_bits(a.db, b.db)) << "db";
}

TEST_P(MinimalConv, ThreadsDoNotChangeABit) {
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

// Channels [begin, end) of every pixel; `channels` of them lie there.
std::vector<float> some_channels(const std::vector<float>& pixels, std::int64_t channels,
                                 const Range& some) {
  std::vector<float> part;
  for (auto pixel = pixels.begin(); pixel != pixels.end(); pixel += channels)
    part.insert(part.end(), pixel + some.begin, pixel + some.end);
  return part;
}

// As some_channels, of one dimension: whole rows of `row` floats.
std::vector<float> some_rows(const std::vector<float>& rows, std::int64_t row, const Range& some) {
  return {rows.begin() + some.begin * row, rows.begin() + some.end * row};
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

TEST_P(MinimalConv, ARankWithHalfOfTheKernelsMakesTheSameValues) {
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

// A rank's images out of a larger batch.
ConvInputs some_images(const ConvSpec& spec, const ConvInputs& all, const Range& images) {
  return {.x = some_rows(all.x, spec.x.per_row(), images),
          .w = all.w,
          .b = all.b,
          .dy = some_rows(all.dy, spec.y().per_row(), images)};
}

TEST_P(MinimalConv, ImagesDoNotDependOnTheirBatch) {
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

std::vector<float> added(std::vector<float> a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

TEST_P(MinimalConv, PartsOfTheSumAreTheSumsOfHalves) {
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
  };
  for (ConvSpec& spec : cases) spec.exact_zeros = true;
  return cases;
}

TEST_P(MinimalConv, WeightsWithoutAProductHaveAGradientOfExactlyZero) {
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
TEST_P(MinimalConv, ExactZerosAreThoseOfEachPartOfTheSum) {
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
