// The list of environment variables, and the words in front of the launched command.
#include "launcher/cluster/options.h"

#include <gtest/gtest.h>

namespace convoy {
namespace {

using Settings = std::vector<EnvSetting>;

TEST(ParseEnv, TakesNamesAndValues) {
  Settings settings;
  ASSERT_TRUE(parse_env("PATH,A=,B=x=y,C=a\\,b\\\\,D=1 2", settings));
  EXPECT_EQ(settings, (Settings{{"PATH", false, ""},
                                {"A", true, ""},
                                {"B", true, "x=y"},
                                {"C", true, "a,b\\"},
                                {"D", true, "1 2"}}));
  ASSERT_TRUE(parse_env("", settings));
  EXPECT_TRUE(settings.empty());
}

TEST(ParseEnv, RefusesWhatIsNoList) {
  Settings settings;
  for (const char* text : {",", "A,", "1A", "A B=c", "-x", "A=\\n", "A=\\", "=x"}) {
    EXPECT_FALSE(parse_env(text, settings)) << text;
  }
}

TEST(ClusterTable, TakesItsOwnDefaults) {
  ClusterOptions cluster;
  const OptionTable table = cluster_table(cluster);
  for (const Option& option : table.options()) EXPECT_TRUE(option.set(option.get())) << option.key;
}

}  // namespace
}  // namespace convoy
