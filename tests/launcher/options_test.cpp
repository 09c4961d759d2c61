// Jobs: every field has a key, precedence holds, and a job survives being written as INI text.
#include "launcher/options.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/net/spec.h"
#include "core/recipe.h"
#include "launcher/config_files.h"
#include "launcher/recipes_table.h"
#include "refusal.h"

namespace convoy {
namespace {

const std::filesystem::path kConfigs = CONVOY_CONFIGS_FOLDER;

JobOptions resolved(const std::vector<Assignment>& file, const std::vector<Assignment>& line) {
  JobOptions job;
  resolve_job(job, file, file_origin("job.ini"), line, command_line_origin("train"));
  return job;
}

TEST(Options, StartFromThePaper) {
  const JobOptions job = resolved({}, {});
  EXPECT_EQ(job.recipe, "paper");
  EXPECT_EQ(job.model.towers, 2);
  EXPECT_EQ(job.solver.batch, 128);
  EXPECT_TRUE(differences_from_paper(job).empty());
}

TEST(Options, LaterSourcesWin) {
  // caffe says batch 256, lr .01, lrn-k 1, BGR.
  const JobOptions job = resolved(
      {{"solver.batch", "64"}, {"solver.lr", "0.5"}, {"recipe", "caffe"}}, {{"solver.lr", "0.25"}});
  EXPECT_EQ(job.recipe, "caffe");
  EXPECT_EQ(job.model.lrn_k, 1);
  EXPECT_TRUE(job.preprocess.bgr);
  EXPECT_EQ(job.solver.batch, 64);
  EXPECT_EQ(job.solver.lr, 0.25);
  EXPECT_EQ(job.solver.momentum, 0.9);
}

TEST(Options, TheCommandLinesRecipeReplacesTheFiles) {
  const JobOptions job =
      resolved({{"recipe", "caffe"}, {"model.width", "0.5"}}, {{"recipe", "owt-2014"}});
  EXPECT_EQ(job.recipe, "owt-2014");
  EXPECT_FALSE(job.preprocess.bgr);
  EXPECT_EQ(job.model.kernels[0], 64);
  EXPECT_EQ(job.model.width, 0.5);
  EXPECT_NE(render_job(job).find("recipe = owt-2014\n"), std::string::npos);
}

TEST(Options, RefuseUnknownRecipes) {
  EXPECT_EQ(refusal([] {
              (void)resolved({{"recipe", "papr"}}, {});
            }),
            "job.ini: recipe must be paper, released-2012, owt-2014, caffe, alexnet-pytorch or "
            "alexnet-pytorch-sgd, not 'papr'");
}

TEST(Options, RefuseSchedulesByTheirGrammar) {
  EXPECT_EQ(refusal([] {
              (void)resolved({}, {{"solver.schedule", "cosine"}});
            }),
            "--solver.schedule must be constant, plateau, steps:N:F, epochs:E=F,E=F,... or "
            "exponential:K:F, not 'cosine'");
  EXPECT_EQ(resolved({}, {{"solver.bias-schedule", ""}}).solver.bias_schedule, "");
}

TEST(Options, HaveTheKeysOthersRelyOn) {
  JobOptions job;
  const OptionTable table = job_table(job);
  for (const char* key : {"recipe", "model.towers", "model.width", "model.input", "model.classes",
                          "data.train", "data.val", "solver.batch", "solver.lr", "solver.momentum",
                          "solver.weight-decay", "parallel.strategy", "device.kind", "run.dir",
                          "run.seed", "run.steps", "run.epochs", "run.log-every"}) {
    EXPECT_NE(table.find(key), nullptr) << key;
  }
}

// Every value of every row is accepted again: no default lies outside its own range.
TEST(Options, AcceptTheirOwnDefaults) {
  JobOptions job;
  const OptionTable table = job_table(job);
  for (const Option& option : table.options()) EXPECT_TRUE(option.set(option.get())) << option.key;
}

class OfRecipe : public testing::TestWithParam<std::string> {};

TEST_P(OfRecipe, SurvivesBeingWrittenAndRead) {
  const JobOptions job = resolved({{"recipe", GetParam()}}, {{"run.dir", "runs/first one"},
                                                             {"data.train", "/data/train"},
                                                             {"solver.lr", "0.012345678901234567"},
                                                             {"run.seed", "18446744073709551615"}});
  const JobOptions again = parse_job(render_job(job), "config.ini");
  EXPECT_EQ(render_job(again), render_job(job));
  EXPECT_EQ(again.recipe, GetParam());
  EXPECT_EQ(again.run.dir, "runs/first one");
  EXPECT_EQ(again.data.train, "/data/train");
  EXPECT_EQ(again.solver.lr, job.solver.lr);
  EXPECT_EQ(again.run.seed, job.run.seed);
  EXPECT_EQ(again.model.weight_std, job.model.weight_std);
  EXPECT_EQ(again.solver.conv1_schedule, job.solver.conv1_schedule);
}

INSTANTIATE_TEST_SUITE_P(All, OfRecipe,
                         testing::Values("paper", "released-2012", "owt-2014", "caffe",
                                         "alexnet-pytorch"),
                         [](const auto& recipe) {
                           std::string name = recipe.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Configs, AllParseAndDescribeANet) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kConfigs)) {
    SCOPED_TRACE(entry.path().string());
    if (entry.path().extension() != ".ini") continue;
    const JobOptions job = parse_job(read_text_file(entry.path()), entry.path().string());
    EXPECT_GT(build_net(job.model).parameters(), 0);
    EXPECT_TRUE(job.data.train.empty() && job.run.dir.empty())
        << "paths belong to the person who runs it";
    ++files;
  }
  EXPECT_GE(files, 4);
}

TEST(Configs, AreInTheProgramByTheirNames) {
  const std::string text = read_text_file(kConfigs / "quickstart.ini");
  EXPECT_EQ(read_config("quickstart"), text);
  EXPECT_EQ(read_config("quickstart.ini"), text);
  EXPECT_EQ(read_config(kConfigs / "quickstart.ini"), text);
  EXPECT_THAT(
      refusal([] { (void)read_config("quickstar"); }),
      testing::HasSubstr("the file quickstar cannot be read: No such file or directory, and "
                         "the program has no configuration of that name (it has cifar-two"));
}

TEST(Configs, PageShowsTheRecipesAsTheyAre) {
  EXPECT_THAT(read_text_file(kConfigs / "README.md"), testing::HasSubstr('\n' + recipes_table()))
      << "paste what convoy inspect --recipes prints into configs/README.md";
}

}  // namespace
}  // namespace convoy
