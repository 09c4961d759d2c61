// Programs that are heard, and signals that are turned into others.
#include "launcher/cluster/process.h"

#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/launcher/refusal.h"

namespace convoy {
namespace {

using std::chrono::seconds;

TEST(Hear, GivesWhatAProgramSaysAndReturns) {
  const Heard heard = hear({"sh", "-c", "cat; echo wrong >&2; exit 3"}, seconds(20), "text");
  EXPECT_TRUE(heard.ended);
  EXPECT_EQ(WEXITSTATUS(heard.status), 3);
  EXPECT_FALSE(heard.succeeded());
  EXPECT_EQ(heard.out, "text");
  EXPECT_EQ(heard.err, "wrong\n");
}

TEST(Hear, PassesWordsOnAsTheyAre) {
  EXPECT_EQ(hear({"printf", "%s", "$HOME 'a'"}, seconds(20)).out, "$HOME 'a'");
}

TEST(Hear, EndsWhatTakesTooLongAndItsChildren) {
  const auto heard = hear_all({{"sh", "-c", "sleep 600 & echo $!; wait"}, {"echo", "done"}},
                              std::chrono::milliseconds(500));
  EXPECT_FALSE(heard[0].ended);
  EXPECT_TRUE(heard[1].succeeded());
  EXPECT_EQ(heard[1].out, "done\n");
}

TEST(Hear, RefusesProgramsThatAreNotThere) {
  EXPECT_EQ(refusal([] { (void)hear({"/no/such"}, seconds(20)); }, ExitCode::resource),
            "the program /no/such cannot be started: No such file or directory");
  EXPECT_EQ(find_program("no-such-program"), "");
  EXPECT_NE(find_program("sh"), "");
}

// A stand-in for mpirun, which ends with another code for each signal and makes a file when it is
// ready for them; the signal is sent to this process then.
int status_after(Supervisor& supervisor, int signal, bool checkpoints) {
  const std::filesystem::path ready =
      std::filesystem::temp_directory_path() / ("convoy-ready-" + std::to_string(getpid()));
  const std::vector<std::string> stand_in{
      "sh", "-c",
      "trap 'exit 75' USR1; trap 'exit 15' TERM; : >\"$0\"; i=0; "
      "while [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); done",
      ready.string()};
  std::jthread sender([&] {
    while (!std::filesystem::exists(ready)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    kill(getpid(), signal);
  });
  const int status = supervisor.run(stand_in, checkpoints);
  std::filesystem::remove(ready);
  return status;
}

TEST(Supervisor, TurnsASignalIntoARequestForACheckpoint) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    Supervisor supervisor;
    EXPECT_EQ(WEXITSTATUS(status_after(supervisor, signal, true)), 75) << signal;
    EXPECT_EQ(supervisor.asked(), signal);
  }
}

TEST(Supervisor, EndsAJobThatWritesNoCheckpoints) {
  Supervisor supervisor;
  EXPECT_EQ(WEXITSTATUS(status_after(supervisor, SIGUSR1, false)), 15);
}

TEST(Supervisor, KeepsExitCodes) {
  Supervisor supervisor;
  EXPECT_EQ(WEXITSTATUS(supervisor.run({"sh", "-c", "exit 6"}, true)), 6);
  EXPECT_EQ(supervisor.asked(), 0);
}

TEST(Supervisor, PausesUnlessASignalComes) {
  Supervisor supervisor;
  EXPECT_TRUE(supervisor.pause(seconds(0)));
  kill(getpid(), SIGTERM);
  EXPECT_FALSE(supervisor.pause(seconds(600)));
  EXPECT_EQ(supervisor.asked(), SIGTERM);
}

}  // namespace
}  // namespace convoy
