// The `convoy` command as a whole, for what needs neither data nor several ranks.
#include "launcher/dispatch.h"

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

Outcome convoy_with(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "convoy");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::ostringstream out;
  std::ostringstream err;
  const int code = dispatch(static_cast<int>(arguments.size()), argv.data(), out, err);
  return {code, out.str(), err.str()};
}

TEST(Dispatch, HelpListsEveryCommand) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"help"},
                                                    {"--help"},
                                                    {"-h"},
                                                    {"help", "--help"},
                                                    {"help", "help"}}) {
    const Outcome outcome = convoy_with(arguments);
    EXPECT_EQ(outcome.code, 0);
    for (const char* name : {"synth", "pack", "inspect", "train", "eval", "bench", "launch"}) {
      EXPECT_THAT(outcome.out, HasSubstr(std::string("\n  ") + name + " "));
    }
  }
}

TEST(Dispatch, HelpOfACommandListsOptionsBySectionWithDefaults) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"help", "train"}, {"train", "--help"}, {"train", "--x", "-h"}}) {
    const Outcome outcome = convoy_with(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, StartsWith("usage: [mpirun -n N] convoy train "));
    EXPECT_THAT(outcome.out, HasSubstr("\n[solver]\n"));
    EXPECT_THAT(outcome.out, HasSubstr("--solver.batch N                images of a training step, "
                                       "all ranks together [128]"));
  }
}

TEST(Dispatch, CommandsOfOneProcessRefuseRanks) {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    setenv(variable, "2", 1);
    for (const char* command : {"export", "import", "inspect", "verify"}) {
      const Outcome outcome = convoy_with({command});
      EXPECT_EQ(outcome.code, 2);
      EXPECT_EQ(outcome.err, std::string("convoy: one rank is enough for ") + command +
                                 ", and 2 were started; leave out mpirun\n");
    }
    setenv(variable, "1", 1);
    EXPECT_EQ(convoy_with({"inspect"}).code, 0);
    unsetenv(variable);
  }
}

TEST(Dispatch, PathsThatAreTooLongAreRefusedAsOthersAre) {
  const std::string name(300, 'n');
  const std::string reason = name + " cannot be read: File name too long\n";
  EXPECT_EQ(convoy_with({"inspect", "--config", name}).err, "convoy: the file " + reason);
  EXPECT_EQ(convoy_with({"inspect", "--config", name}).code, 2);
  EXPECT_EQ(convoy_with({"inspect", "--model.net", name}).code, 2);
  EXPECT_EQ(convoy_with({"inspect", name}).code, 3);
  EXPECT_EQ(convoy_with({"show", "filters", "--run.dir", name, "--output", "x"}).code, 4);
  for (const char* option : {"--json", "--html"}) {
    const Outcome outcome = convoy_with({"plan", option, name});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.err, "convoy: " + name + " cannot be written: File name too long\n");
  }
}

TEST(Dispatch, HelpNamesEachSectionOnce) {
  const std::string text = convoy_with({"help", "inspect"}).out;
  EXPECT_THAT(text, HasSubstr("--parallel.ranks N"));
  EXPECT_EQ(text.find("[parallel]"), text.rfind("[parallel]"));
}

TEST(Dispatch, KnowsCommandsOfTwoWords) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"help", "show"}, {"show", "--help"}, {"help", "show", "-h"}}) {
    const Outcome outcome = convoy_with(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, StartsWith("convoy show is one of:\n  show filters "));
  }
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"help", "show", "curves"}, {"show", "curves", "--help"}}) {
    EXPECT_THAT(convoy_with(arguments).out, StartsWith("usage: convoy show curves RUN..."));
  }
  EXPECT_EQ(convoy_with({"show"}).err,
            "convoy: show needs one of filters, nearest, curves, trace, sample (convoy help show "
            "describes them)\n");
  EXPECT_EQ(convoy_with({"show", "flters"}).code, 2);
  EXPECT_THAT(convoy_with({"show", "flters"}).err, HasSubstr(", and 'flters' is none"));
  EXPECT_EQ(convoy_with({"show", "curves", "--output", "x"}).err,
            "convoy: show curves needs run directories: convoy show curves RUN... --output FILE\n");
}

TEST(Dispatch, PrintsTheVersion) {
  const std::string text = convoy_with({"--version"}).out;
  EXPECT_THAT(text, StartsWith("convoy "));
  for (const char* library : {"Open MPI", "HDF5", "oneDNN"}) EXPECT_THAT(text, HasSubstr(library));
  EXPECT_EQ(text.find("rotobuf"), text.rfind("rotobuf")) << "a library stands there once";
}

TEST(Dispatch, PrintsManualPagesAndTheScriptForTheShell) {
  EXPECT_THAT(convoy_with({"help", "--man"}).out, StartsWith(".TH CONVOY 1 "));
  EXPECT_THAT(convoy_with({"help", "--man", "pack"}).out, StartsWith(".TH CONVOY\\-PACK 1 "));
  EXPECT_THAT(convoy_with({"help", "--bash-completion"}).out, HasSubstr("_convoy convoy"));
  EXPECT_EQ(convoy_with({"help", "--man", "pakc"}).code, 2);
  EXPECT_EQ(convoy_with({"help", "--man", "pack", "eval"}).code, 2);
  EXPECT_EQ(convoy_with({"help", "--bash-completion", "pack"}).code, 2);
}

TEST(Dispatch, RefusesUnknownCommandsWithTheNearest) {
  const Outcome outcome = convoy_with({"trian"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "convoy: there is no command 'trian'; did you mean train? (convoy help lists all)\n");
  EXPECT_EQ(convoy_with({"help", "trian"}).code, 2);
}

TEST(Dispatch, AnswersAMistypedOptionWithOne) {
  EXPECT_EQ(convoy_with({"--verison"}).err,
            "convoy: there is no command '--verison'; did you mean --version? (convoy help lists "
            "all)\n");
  EXPECT_THAT(convoy_with({"-help"}).err, HasSubstr("did you mean --help?"));
}

TEST(Dispatch, RefusesToDoNothing) {
  const Outcome outcome = convoy_with({});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "convoy: no command is given; convoy help lists them\n");
}

TEST(Dispatch, RefusesMissingAndLeftOverArguments) {
  EXPECT_EQ(convoy_with({"synth", "--classes", "2"}).err,
            "convoy: synth needs --output DIR: folder that gets train/ and val/\n");
  EXPECT_EQ(convoy_with({"synth", "here"}).err,
            "convoy: 'here' is not understood: synth takes options only (convoy help synth lists "
            "the options)\n");
}

TEST(Dispatch, LaunchRefusesWhatItCannotStart) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{},
       "launch needs a command to start, such as: convoy launch --cluster.ranks 2 -- train "
       "--config FILE"},
      {{"--", "trian"}, "launch cannot start 'trian', which is no command; did you mean train?"},
      {{"--", "launch", "--", "train"}, "launch cannot start itself"},
      {{"--cluster.kind", "local", "--cluster.hosts", "c1", "train"},
       "hosts are listed, but cluster.kind is local; leave out one of them"},
      {{"--cluster.kind", "local", "--slurm.time", "30", "train"},
       "slurm.time is for --cluster.kind slurm, and this is local"},
      {{"--dry-run", "train", "--data.train", "x"},
       "train needs --run.dir DIR: run directory; everything a run writes goes there"},
      {{"--cluster.kind", "allocation", "--dry-run", "train", "--data.train", "x", "--run.dir",
        "y"},
       "cluster.kind is allocation, but this is none of SLURM's (no SLURM_JOB_ID); use sbatch, "
       "salloc or --cluster.kind slurm"}};
  for (const auto& [words, sentence] : cases) {
    std::vector<std::string> arguments{"launch"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const Outcome outcome = convoy_with(arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.err, "convoy: " + sentence + '\n');
  }
}

TEST(Dispatch, LaunchPrintsABatchScript) {
  const Outcome outcome =
      convoy_with({"launch", "--cluster.kind=slurm", "--dry-run", "--cluster.ranks", "2", "--",
                   "train", "--data.train", "a b", "--run.dir", "c"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out,
              StartsWith("#!/bin/bash\n#SBATCH --job-name=convoy\n#SBATCH --nodes=2\n"));
  EXPECT_THAT(outcome.out, HasSubstr(" -- train --data.train 'a b' --run.dir c\n"));
}

TEST(Dispatch, InspectsTheNetOfTheOptions) {
  const Outcome outcome = convoy_with({"inspect", "--model.towers", "1", "--solver.batch=4"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("62,378,344"));
  EXPECT_THAT(outcome.out, HasSubstr("a training step of 4 images"));
  EXPECT_THAT(outcome.out, HasSubstr("Differences from the paper"));
}

TEST(Dispatch, InspectRefusesAPathTogetherWithOptions) {
  const Outcome outcome = convoy_with({"inspect", "somewhere", "--model.towers", "1"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "convoy: inspect describes either somewhere or the net that options ask for, not both; "
            "leave out the path or --model.towers\n");
}

TEST(Dispatch, InspectRefusesAPathThatIsNotThere) {
  EXPECT_EQ(convoy_with({"inspect", "no-such-path"}).code, 3);
}

}  // namespace
}  // namespace convoy
