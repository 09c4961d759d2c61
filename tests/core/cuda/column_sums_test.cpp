// Sums over rows on a GPU against sums in double precision, and against themselves.
#include "core/cuda/column_sums.h"

#include "core/cuda/stream.h"
#include "core/cuda/values.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

class ColumnSums : public OpTest {};
INSTANTIATE_TEST_SUITE_P(Devices, ColumnSums, testing::ValuesIn(gpu_cases()),
                         [](const auto& test) { return test.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ColumnSums);

TEST_P(ColumnSums, MatchDoublePrecision) {
  for (const auto& [rows, columns] :
       {std::pair{1, 5}, std::pair{7, 64}, std::pair{3001, 24}, std::pair{130, 1003}})
    for (const DType type : {DType::f32, DType::bf16}) {
      const Shape shape{rows, 1, 1, columns};
      std::vector<float> x = random(shape);
      std::vector<Bf16> halves;
      for (float v : x) halves.push_back(from_float<Bf16>(v));
      Doubles expected(static_cast<std::size_t>(columns));
      for (std::size_t i = 0; i < x.size(); ++i)
        expected[i % expected.size()] += type == DType::f32 ? x[i] : to_float(halves[i]);
      const Tensor xt = type == DType::f32 ? upload(shape, x) : upload_as(shape, halves, type);
      const Tensor sums = unset({1, 1, 1, columns}), again = unset({1, 1, 1, columns});
      const OpContext context = this->context(column_sums_bytes(rows, columns));
      for (const Tensor& to : {sums, again})
        column_sums(xt, to.f32(), context.workspace, native(context.stream));
      expect_close(download(sums), expected, 1e-6);
      EXPECT_EQ(download(sums), download(again));
    }
}

}  // namespace
}  // namespace convoy
