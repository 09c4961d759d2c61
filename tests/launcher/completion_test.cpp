// The tables in the script for bash; tests/system/help_test.sh lets bash complete by them.
#include "launcher/completion.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::HasSubstr;

TEST(BashCompletion, KnowsEveryOptionOfEveryCommand) {
  const Commands commands = make_commands();
  const std::string script = bash_completion(commands);
  for (const auto& command : commands) {
    for (const std::string& key : command->options().keys()) {
      EXPECT_THAT(script, HasSubstr("'" + command->info().name + " --" + key + "'"));
    }
  }
}

TEST(BashCompletion, OffersTheWordsThatAnOptionTakes) {
  const std::string script = bash_completion(make_commands());
  EXPECT_THAT(script, HasSubstr(") kind=words words='1 10' ;;\n"));
  EXPECT_THAT(script, HasSubstr(") kind=words words='true false' ;;\n"));
}

}  // namespace
}  // namespace convoy
