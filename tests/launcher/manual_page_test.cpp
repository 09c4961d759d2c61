// Manual pages: every option is there, in the words of the help, and no line is taken for a
// request.
#include "launcher/manual_page.h"

#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Sample : public Command {
 public:
  Sample()
      : Command({.name = "sample",
                 .summary = "is a sample - of a kind",
                 .synopsis = "convoy sample [options]",
                 .details = ".h5 files of `n` images in C:\\data, 'quoted'"}) {
    options_.flag("quick", quick_, "no waiting");
    options_.number("solver.steps", steps_, {.low = 1}, "number of steps");
    options_.choice("solver.kind", kind_, {"sgd", "adam"}, ".5 or a rule");
    options_.path("solver.out", out_, "DIR", "folder; empty: none");
  }
  void run(World*, std::ostream&) override {}

 private:
  bool quick_ = false;
  int steps_ = 7;
  std::string kind_ = "sgd";
  std::filesystem::path out_;
};

TEST(ManualPage, NamesThePageTheCommandAndItsSections) {
  const std::string page = manual_page(Sample());
  EXPECT_THAT(page, StartsWith(".TH CONVOY\\-SAMPLE 1 "));
  EXPECT_THAT(page, HasSubstr("\nconvoy\\-sample \\- is a sample \\- of a kind\n"));
  EXPECT_THAT(page, HasSubstr("\n.SS solver\n"));
  EXPECT_THAT(page, Not(HasSubstr("\\-\\-config")));
}

TEST(ManualPage, ShowsValuesAndDefaultsOfOptions) {
  const std::string page = manual_page(Sample());
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-\\-quick\\fR\nno waiting\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-solver.steps\\fR \\fIN\\fR\nnumber of steps [7]\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-solver.kind\\fR \\fBsgd\\fR|\\fBadam\\fR\n"));
  EXPECT_THAT(page, HasSubstr("\\fB\\-\\-solver.out\\fR \\fIDIR\\fR\nfolder; empty: none\n"));
}

TEST(ManualPage, KeepsEveryCharacterOfATextAndTakesNoneForARequest) {
  const std::string page = manual_page(Sample());
  EXPECT_THAT(page, HasSubstr("\n\\&.h5 files of \\(gan\\(ga images in C:\\edata, "
                              "\\(aqquoted\\(aq\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&.5 or a rule [sgd]\n"));
}

TEST(ManualPage, OfEveryCommandHasAllItsOptions) {
  const Commands commands = make_commands();
  const std::string overview = manual_page(commands);
  for (const auto& command : commands) {
    const std::string page = manual_page(*command);
    for (const std::string& key : command->options().keys()) {
      std::string escaped;
      for (const char c : key) escaped += c == '-' ? std::string("\\-") : std::string(1, c);
      EXPECT_THAT(page, HasSubstr("\n\\fB\\-\\-" + escaped + "\\fR")) << command->info().name;
    }
    std::string name;  // "show\-filters"
    for (const char c : command->info().name) name += c == ' ' ? "\\-" : std::string(1, c);
    EXPECT_THAT(overview, HasSubstr("\n.BR convoy\\-" + name + " (1),\n"));
  }
}

TEST(ManualPage, OfTheProgramTellsTheExitCodes) {
  const std::string page = manual_page(make_commands());
  EXPECT_THAT(page, HasSubstr("\n.TP\n\\fB75\\fR\nstopped on request after a checkpoint\n"));
}

}  // namespace
}  // namespace convoy
