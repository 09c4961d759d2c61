// Every exception becomes the documented exit code.
#include "launcher/failure.h"

#include <filesystem>
#include <new>
#include <stdexcept>

#include <gtest/gtest.h>

#include "core/error.h"

namespace convoy {
namespace {

TEST(Guard, GivesTheCodeAndTheSentence) {
  EXPECT_EQ(guard([] {}).code, 0);
  const Failure failure = guard([] { fail(ExitCode::bad_data, "shard {} is cut short", 3); });
  EXPECT_EQ(failure.code, 3);
  EXPECT_EQ(failure.sentence, "shard 3 is cut short");
}

TEST(Guard, TellsResourcesFromFaults) {
  EXPECT_EQ(guard([] { throw std::bad_alloc(); }).code, 7);
  const Failure missing = guard([] { (void)std::filesystem::file_size("no-such-file"); });
  EXPECT_EQ(missing.code, 7);
  EXPECT_EQ(missing.sentence, "no-such-file cannot be used: No such file or directory");
  const Failure failure = guard([] { throw std::logic_error("odd"); });
  EXPECT_EQ(failure.code, kInternalError);
  EXPECT_EQ(failure.sentence, "an internal error, a fault of Convoy: odd");
}

}  // namespace
}  // namespace convoy
