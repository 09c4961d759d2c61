// Sentences stay whole and harmless whatever they quote.
#include "core/error.h"

#include <string>

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(Error, ShowsControlCharactersAsQuestionMarks) {
  const std::string quoted("a\0b\x1b[2J\tz\x7f", 10);
  const Error error(ExitCode::usage, "line 3 holds '" + quoted + "', which is no word\nmüll");
  EXPECT_STREQ(error.what(), "line 3 holds 'a?b?[2J?z?', which is no word\nmüll");
}

}  // namespace
}  // namespace convoy
