// Command lines and INI files: what is read, and the sentence for everything that is refused.
#include "launcher/assignments.h"

#include <array>
#include <filesystem>

#include <gtest/gtest.h>

#include "refusal.h"

namespace convoy {
namespace {

class Assignments : public testing::Test {
 protected:
  Assignments() {
    table_.number("solver.batch", batch_, {.low = 1}, "images of a step");
    table_.number("solver.lr", lr_, {.low = 0}, "base learning rate");
    table_.number("run.seed", seed_, {}, "seed");
    table_.list("model.bias", bias_, {}, "initial biases");
    table_.boolean("data.mirror", mirror_, "mirror half of the images");
    table_.choice("solver.kind", kind_, {"sgd", "adam"}, "update rule");
    table_.choice("run.eval-views", views_, std::vector<int>{1, 10}, "views");
    table_.path("run.dir", dir_, "DIR", "run directory");
    table_.flag("json", json_, "print JSON");
  }

  void command_line(const std::vector<std::string>& arguments) {
    const CommandLine line = parse_command_line(arguments, table_, origin_);
    assign(table_, line.assignments, origin_);
    positional_ = line.positional;
  }
  void ini(const std::string& text) {
    const Origin origin = file_origin("job.ini");
    assign(table_, parse_ini(text, table_, origin), origin);
  }
  std::string refused_line(const std::vector<std::string>& arguments) {
    return refusal([&] { command_line(arguments); });
  }
  std::string refused_ini(const std::string& text) {
    return refusal([&] { ini(text); });
  }

  std::int64_t batch_ = 128;
  double lr_ = 0.01;
  std::uint64_t seed_ = 1;
  std::array<double, 2> bias_{0, 1};
  bool mirror_ = true;
  std::string kind_ = "sgd";
  int views_ = 1;
  std::filesystem::path dir_;
  bool json_ = false;
  std::vector<std::string> positional_;
  OptionTable table_;
  const Origin origin_ = command_line_origin("train");
};

TEST_F(Assignments, ReadsACommandLine) {
  command_line({"--solver.batch", "64", "--solver.lr=1e-3", "first", "--json", "second",
                "--data.mirror", "false", "--model.bias", "-0.5,2", "--run.eval-views", "10",
                "--run.seed", "18446744073709551615", "--run.dir", "a b/c"});
  EXPECT_EQ(batch_, 64);
  EXPECT_EQ(lr_, 1e-3);
  EXPECT_FALSE(mirror_);
  EXPECT_TRUE(json_);
  EXPECT_EQ(bias_, (std::array<double, 2>{-0.5, 2}));
  EXPECT_EQ(views_, 10);
  EXPECT_EQ(seed_, 18446744073709551615U);
  EXPECT_EQ(dir_, "a b/c");
  EXPECT_EQ(positional_, (std::vector<std::string>{"first", "second"}));
}

TEST_F(Assignments, ReadsAnIniFile) {
  ini("# a comment\nsolver.kind = adam\n[solver]\nbatch=32   # images\n\n lr = 0.5\n[run]\ndir "
      "=\n");
  EXPECT_EQ(kind_, "adam");
  EXPECT_EQ(batch_, 32);
  EXPECT_EQ(lr_, 0.5);
  EXPECT_EQ(dir_, "");
}

TEST_F(Assignments, RefusesUnknownOptionsWithTheNearest) {
  EXPECT_EQ(refused_line({"--solver.bacth", "3"}),
            "there is no option --solver.bacth; did you mean --solver.batch? (convoy help train "
            "lists all)");
  EXPECT_EQ(refused_line({"--batch=3"}),
            "there is no option --batch; did you mean --solver.batch? (convoy help train lists "
            "all)");
  EXPECT_EQ(refused_ini("[solver]\nlearning-rate = 3\n"),
            "job.ini: there is no option solver.learning-rate; did you mean solver.lr?");
}

TEST_F(Assignments, DoesNotGuessPrefixes) {
  EXPECT_EQ(refused_line({"--solver.bat", "3"}),
            "there is no option --solver.bat; did you mean --solver.batch? (convoy help train "
            "lists all)");
}

TEST_F(Assignments, RefusesValuesSayingWhatIsRight) {
  EXPECT_EQ(refused_line({"--solver.batch", "0"}),
            "--solver.batch must be a whole number of at least 1, not '0'");
  EXPECT_EQ(refused_line({"--solver.batch", "1.5"}),
            "--solver.batch must be a whole number of at least 1, not '1.5'");
  EXPECT_EQ(refused_line({"--solver.batch", "99999999999999999999"}),
            "--solver.batch must be a whole number of at least 1, not '99999999999999999999'");
  EXPECT_EQ(refused_line({"--solver.lr", "-1"}),
            "--solver.lr must be a number of at least 0, not '-1'");
  EXPECT_EQ(refused_line({"--solver.lr", "nan"}),
            "--solver.lr must be a number of at least 0, not 'nan'");
  EXPECT_EQ(refused_line({"--run.seed", "-1"}),
            "--run.seed must be a whole number of at least 0, not '-1'");
  EXPECT_EQ(refused_line({"--data.mirror", "yes"}),
            "--data.mirror must be true or false, not 'yes'");
  EXPECT_EQ(refused_line({"--solver.kind", "rmsprop"}),
            "--solver.kind must be sgd or adam, not 'rmsprop'");
  EXPECT_EQ(refused_line({"--run.eval-views", "5"}), "--run.eval-views must be 1 or 10, not '5'");
  EXPECT_EQ(refused_line({"--model.bias", "1,2,3"}),
            "--model.bias must be 2 numbers, separated by commas, not '1,2,3'");
  EXPECT_EQ(refused_line({"--run.dir", "a#b"}),
            "--run.dir must be a path without '#', line breaks, and blanks at its ends (config.ini "
            "could not hold it), not 'a#b'");
  EXPECT_EQ(refused_ini("[solver]\nlr = fast\n"),
            "job.ini: solver.lr must be a number of at least 0, not 'fast'");
}

TEST_F(Assignments, KeepsTheFieldWhereAValueIsRefused) {
  refused_line({"--model.bias", "7,x"});
  EXPECT_EQ(bias_, (std::array<double, 2>{0, 1}));
}

TEST_F(Assignments, RefusesWhatIsGivenTwice) {
  EXPECT_EQ(refused_line({"--solver.batch", "2", "--solver.batch", "3"}),
            "--solver.batch is given twice; leave one of them");
  EXPECT_EQ(refused_ini("[solver]\nbatch = 2\n[run]\n[solver]\nbatch = 2\n"),
            "job.ini: solver.batch is given twice; leave one of them");
}

TEST_F(Assignments, RefusesMissingAndSuperfluousValues) {
  const std::string needs = "--solver.batch needs a value: a whole number of at least 1";
  EXPECT_EQ(refused_line({"--solver.batch"}), needs);
  EXPECT_EQ(refused_line({"--solver.batch="}), needs);
  EXPECT_EQ(refused_line({"--solver.batch", "--solver.lr", "1"}), needs);
  EXPECT_EQ(refused_line({"--json=1"}), "--json stands alone and takes no value");
}

TEST_F(Assignments, RefusesShortOptions) {
  EXPECT_EQ(refused_line({"-b"}),
            "'-b' is not understood: options begin with -- (convoy help train lists all)");
}

TEST_F(Assignments, RefusesMalformedLinesWithTheirNumber) {
  EXPECT_EQ(refused_ini("[solver]\nbatch = 2 # two\nlr  0.1 # oops\n"),
            "job.ini: line 3 is neither '[section]' nor 'key = value': 'lr  0.1'");
  EXPECT_EQ(refused_ini("[solver\n"),
            "job.ini: line 1 is neither '[section]' nor 'key = value': '[solver'");
}

TEST_F(Assignments, NamesFilesThatCannotBeRead) {
  EXPECT_EQ(refusal([] { (void)read_text_file("no-such.ini"); }),
            "the file no-such.ini cannot be read: No such file or directory");
  EXPECT_EQ(refusal([] { (void)read_text_file("."); }),
            "the file . cannot be read: it is a folder");
}

TEST_F(Assignments, RendersWhatItReadsBack) {
  command_line({"--solver.lr", "0.1", "--model.bias", "0.30000000000000004,1e-300", "--run.dir",
                "runs/a=b [c]"});
  const std::string text = render_ini(table_);
  lr_ = 0;
  bias_ = {};
  dir_.clear();
  ini(text);
  EXPECT_EQ(lr_, 0.1);
  EXPECT_EQ(bias_, (std::array<double, 2>{0.30000000000000004, 1e-300}));
  EXPECT_EQ(dir_, "runs/a=b [c]");
}

}  // namespace
}  // namespace convoy
