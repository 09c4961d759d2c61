// What is made of mpirun's end.
#include "launcher/cluster/outcome.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::HasSubstr;

int exited(int code) { return code << 8; }  // as waitpid gives it

TEST(Judge, KeepsTheRanksCodes) {
  EXPECT_EQ(judge(exited(0), false).code, 0);
  EXPECT_EQ(judge(exited(0), false).sentence, "");
  for (const int code : {1, 2, 3, 4, 5, 6, 7, 75}) {
    EXPECT_EQ(judge(exited(code), false).code, code);
    EXPECT_NE(judge(exited(code), false).sentence, "");
  }
  EXPECT_EQ(judge(exited(6), true).code, 6);
}

TEST(Judge, CallsAKilledRankAFailure) {
  const Outcome outcome = judge(exited(137), false);
  EXPECT_EQ(outcome.code, 5);
  EXPECT_FALSE(outcome.host_lost);
  EXPECT_THAT(outcome.sentence, HasSubstr("a rank was ended by signal 9 (Killed)"));
  EXPECT_THAT(judge(SIGKILL, false).sentence, HasSubstr("mpirun was ended by signal 9"));
  EXPECT_EQ(judge(SIGKILL, false).code, 5);
}

TEST(Judge, KnowsLostHosts) {
  EXPECT_EQ(judge(exited(205), false).code, 5);
  EXPECT_TRUE(judge(exited(205), false).host_lost);
  EXPECT_TRUE(judge(exited(9), false).host_lost);
  EXPECT_FALSE(judge(exited(5), false).host_lost);
}

TEST(Judge, CallsAnEndOnRequestAStop) {
  for (const int status : {exited(138), exited(1), exited(143), SIGTERM, SIGUSR1}) {
    EXPECT_EQ(judge(status, true).code, 75);
  }
}

TEST(WorthARestart, OnlyWhereSomethingFailedUnasked) {
  EXPECT_TRUE(worth_a_restart(judge(exited(5), false), false));
  EXPECT_TRUE(worth_a_restart(judge(exited(205), false), false));
  EXPECT_FALSE(worth_a_restart(judge(exited(5), true), true));
  for (const int code : {0, 1, 2, 3, 4, 6, 7, 75}) {
    EXPECT_FALSE(worth_a_restart(judge(exited(code), false), false)) << code;
  }
}

TEST(RestartPause, GrowsAndStaysShort) {
  EXPECT_EQ(restart_pause(1), 1);
  EXPECT_EQ(restart_pause(2), 2);
  EXPECT_EQ(restart_pause(4), 8);
  EXPECT_EQ(restart_pause(6), 30);
  EXPECT_EQ(restart_pause(1000), 30);
}

}  // namespace
}  // namespace convoy
