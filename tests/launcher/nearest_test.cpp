// Edit distances that can be counted by hand, and the names that people would have meant.
#include "launcher/nearest.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(EditDistance, CountsInsertionsDeletionsReplacementsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("train", "train"), 0U);
  EXPECT_EQ(edit_distance("trian", "train"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // no edit inside a swap
}

TEST(Nearest, FindsMisspelledAndUnsectionedNames) {
  const std::vector<std::string> names{"solver.batch", "solver.lr", "data.train", "run.dir"};
  EXPECT_EQ(nearest("solver.bacth", names), "solver.batch");
  EXPECT_EQ(nearest("batch", names), "solver.batch");
  EXPECT_EQ(nearest("dir", names), "run.dir");
  EXPECT_EQ(nearest("data.trian", names), "data.train");
}

TEST(Nearest, TakesTheFirstOfEquals) { EXPECT_EQ(nearest("c", {"a", "b"}), "a"); }

}  // namespace
}  // namespace convoy
