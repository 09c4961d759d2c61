// Whatever a value holds, a real shell reads back what was quoted.
#include "launcher/cluster/quote.h"

#include <gtest/gtest.h>

#include "launcher/cluster/process.h"

namespace convoy {
namespace {

TEST(Quote, LeavesPlainWordsBare) {
  EXPECT_EQ(shell_quoted("runs/model-1"), "runs/model-1");
  EXPECT_EQ(shell_quoted("--solver.batch=128"), "--solver.batch=128");
}

TEST(Quote, QuotesWhatAShellWouldTouch) {
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("NAME=VALUE"), "'NAME=VALUE'");
  EXPECT_EQ(shell_quoted("~"), "'~'");
}

TEST(Quote, IsReadBackByAShell) {
  std::string every;
  for (int c = 1; c < 128; ++c) every += static_cast<char>(c);
  const std::vector<std::string> words{
      "printf", "%s|", every, "$(touch /tmp/x)", "`id`", "a;b", "\\", "'", "\"", "*", "-n", "!!",
      "A=B",    "",    "ä"};
  const Heard heard = hear({"sh", "-c", shell_quoted(words)}, std::chrono::seconds(20));
  std::string expected;
  for (std::size_t i = 2; i < words.size(); ++i) expected += words[i] + '|';
  EXPECT_TRUE(heard.succeeded());
  EXPECT_EQ(heard.out, expected);
}

}  // namespace
}  // namespace convoy
