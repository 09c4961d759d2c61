// The search against distances computed one by one.
#include "dist/infer/nearest_search.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/random.h"
#include "io/files/temporary_folder.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

constexpr std::int64_t kImages = 700;
constexpr std::int64_t kValues = 2051;  // blocks of 511 rows: a whole one and a part

// All in one corner, far from the origin, so that |q|^2 - 2qf + |f|^2 loses most digits.
std::vector<float> row_of(std::uint32_t number) {
  const RandomSource source(3, Purpose::synthetic);
  std::vector<float> row;
  for (std::uint32_t i = 0; i < kValues; ++i)
    row.push_back(50 + static_cast<float>(source.block(1, number, i)[0] >> 24) / 256);
  return row;
}

TEST(NearestSearch, FindsWhatComparingAllFinds) {
  if (test_world().rank() > 0) return;
  const TemporaryFolder folder;
  const auto path = folder.path() / "features.h5";
  std::vector<std::vector<float>> rows;
  FeatureWriter writer(path, {"w", "d"}, kImages, kValues);
  for (std::int64_t i = 0; i < kImages; ++i) {
    rows.push_back(row_of(static_cast<std::uint32_t>(i)));
    if (i == 600) rows.back() = rows[20];  // two that are equal
    writer.write({i, i + 1}, rows.back().data());
  }
  writer.finish();

  std::vector<float> queries = rows[20];
  const std::vector<float> other = row_of(5000);
  queries.insert(queries.end(), other.begin(), other.end());
  for (const int threads : {1, 3}) {
    const auto nearest = nearest_rows(FeatureReader(path), queries, 5, threads);
    ASSERT_EQ(nearest.size(), 2u);
    for (std::size_t q = 0; q < 2; ++q) {
      std::vector<Neighbour> all;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        double sum = 0;
        for (std::size_t k = 0; k < kValues; ++k)
          sum += std::pow(
              static_cast<double>(queries[q * kValues + k]) - static_cast<double>(rows[i][k]), 2);
        all.push_back({static_cast<std::int64_t>(i), std::sqrt(sum)});
      }
      std::ranges::stable_sort(all, {}, &Neighbour::distance);
      ASSERT_EQ(nearest[q].size(), 5u);
      for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(nearest[q][i].row, all[i].row);
        EXPECT_DOUBLE_EQ(nearest[q][i].distance, all[i].distance);
      }
    }
    EXPECT_EQ(nearest[0][0].row, 20);
    EXPECT_EQ(nearest[0][1].row, 600);
  }
}

TEST(NearestSearch, OfFewerImagesGivesAll) {
  if (test_world().rank() > 0) return;
  const TemporaryFolder folder;
  const auto path = folder.path() / "features.h5";
  const std::vector<float> values{0, 0, 3, 4};
  FeatureWriter writer(path, {"w", "d"}, 2, 2);
  writer.write({0, 2}, values.data());
  writer.finish();
  const std::vector<float> query{0, 0};
  const auto nearest = nearest_rows(FeatureReader(path), query, 10, 4);
  ASSERT_EQ(nearest[0].size(), 2u);
  EXPECT_EQ(nearest[0][1].distance, 5);
}

}  // namespace
}  // namespace convoy
