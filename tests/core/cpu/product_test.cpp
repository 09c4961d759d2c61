// The matrix product of minimal filtering alone: odd sizes, both orders of its first operand.
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/cpu/kernels.h"
#include "tests/core/ops/conv_case.h"

namespace convoy {
namespace {

struct Sizes {
  std::int64_t rows, columns, depth;
};

// c = (add ? c : 0) + a b where a lies by rows (as inputs do) or by steps (as gradients do).
void check_product(const cpu::Kernels& kernels, const Sizes& sizes, bool by_steps, bool add) {
  SCOPED_TRACE(fmt::format("{}: {} x {} x {}, {}{}", kernels.name, sizes.rows, sizes.columns,
                           sizes.depth, by_steps ? "by steps" : "by rows", add ? ", added" : ""));
  const std::int64_t lanes = kernels.lanes;
  const std::int64_t panel = 2 * lanes;
  const std::int64_t vectors = (sizes.columns + lanes - 1) / lanes;
  const std::int64_t panels = (vectors + 1) / 2;
  // Rows further apart than they are long.
  const std::int64_t a_row = by_steps ? 1 : sizes.depth + 3;
  const std::int64_t a_step = by_steps ? sizes.rows + 5 : 1;
  const std::int64_t b_step = panel + 2;
  const std::int64_t b_panel = sizes.depth * b_step + 7;
  const std::int64_t c_row = vectors * lanes + 1;
  const auto floats = [](std::int64_t count) { return static_cast<std::size_t>(count); };

  Draws draws(static_cast<std::uint32_t>(sizes.rows * 10007 + sizes.columns * 101 + sizes.depth));
  GuardedFloats a(floats(sizes.rows * a_row + sizes.depth * a_step));
  GuardedFloats b(floats(panels * b_panel));
  GuardedFloats c(floats(sizes.rows * c_row));
  std::vector<double> expected(floats(sizes.rows * sizes.columns));
  for (std::int64_t i = 0; i < sizes.rows; ++i)
    for (std::int64_t k = 0; k < sizes.depth; ++k)
      a.data()[i * a_row + k * a_step] = draws.normal(0, 1);
  for (std::int64_t v = 0; v < vectors; ++v)
    for (std::int64_t k = 0; k < sizes.depth; ++k)
      for (std::int64_t j = 0; j < lanes; ++j)
        b.data()[v / 2 * b_panel + k * b_step + v % 2 * lanes + j] = draws.normal(0, 1);
  for (std::int64_t i = 0; i < sizes.rows; ++i)
    for (std::int64_t j = 0; j < sizes.columns; ++j) {
      double sum = 0;
      if (add) sum = c.data()[i * c_row + j] = draws.normal(0, 1);
      for (std::int64_t k = 0; k < sizes.depth; ++k)
        sum += double{a.data()[i * a_row + k * a_step]} *
               b.data()[j / panel * b_panel + k * b_step + j % panel];
      expected[floats(i * sizes.columns + j)] = sum;
    }

  const cpu::Product product{.rows = sizes.rows,
                             .columns = sizes.columns,
                             .depth = sizes.depth,
                             .a = a.data(),
                             .a_row = a_row,
                             .a_step = a_step,
                             .b = b.data(),
                             .b_step = b_step,
                             .b_panel = b_panel,
                             .c = c.data(),
                             .c_row = c_row,
                             .add = add};
  kernels.product(&product);
  const double tolerance = 1e-6 * static_cast<double>(sizes.depth + 1);
  for (std::int64_t i = 0; i < sizes.rows; ++i) {
    for (std::int64_t j = 0; j < sizes.columns; ++j)
      ASSERT_NEAR(c.data()[i * c_row + j], expected[floats(i * sizes.columns + j)], tolerance)
          << "row " << i << ", column " << j;
    // Whole vectors may be written, what lies behind them not.
    for (std::int64_t j = vectors * lanes; j < c_row; ++j)
      ASSERT_TRUE(std::isnan(c.data()[i * c_row + j])) << "behind row " << i;
  }
  EXPECT_TRUE(c.guards_untouched());
}

std::vector<const cpu::Kernels*> all_kernels() {
  std::vector<const cpu::Kernels*> all;
  for (const cpu::Isa isa : {cpu::Isa::baseline, cpu::Isa::avx2, cpu::Isa::avx512})
    if (isa <= cpu::best_isa()) all.push_back(&cpu::kernels_for(isa));
  return all;
}

TEST(Product, MatchesDoublePrecision) {
  for (const cpu::Kernels* kernels : all_kernels()) {
    for (std::int64_t rows = 0; rows <= 40; ++rows)
      for (const Sizes& sizes : {Sizes{rows, 1 + rows % 5, 7}, Sizes{rows, 17 + 3 * rows % 32, 3},
                                 Sizes{rows, 64, 1}, Sizes{rows, 33, 0}})
        for (const bool by_steps : {false, true})
          for (const bool add : {false, true}) check_product(*kernels, sizes, by_steps, add);
    for (std::int64_t columns = 1; columns <= 70; ++columns)
      check_product(*kernels, {13, columns, 5}, false, false);
    for (std::int64_t depth = 0; depth <= 20; ++depth)
      check_product(*kernels, {25, 21, depth}, true, true);
    check_product(*kernels, {169, 96, 257}, false, false);
  }
}

}  // namespace
}  // namespace convoy
