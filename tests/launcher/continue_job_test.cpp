// What may be given otherwise to a run that goes on.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "launcher/options.h"
#include "refusal.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ContinueJob : public testing::Test {
 protected:
  ContinueJob() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    run_ = fs::temp_directory_path() /
           ("convoy-" + std::string(test->name()) + "-" + std::to_string(getpid()));
    fs::create_directories(run_);
    JobOptions job;
    resolve_job(job, {}, file_origin(""),
                {{"recipe", "caffe"},
                 {"run.dir", "elsewhere"},
                 {"run.seed", "7"},
                 {"data.train", "train"},
                 {"model.classes", "10"},
                 {"device.conv", "conv1:minimal,conv2:direct"}},
                command_line_origin("train"));
    std::ofstream(run_ / "config.ini") << render_job(job);
  }
  ~ContinueJob() override { fs::remove_all(run_); }

  JobOptions continued(const std::vector<Assignment>& line,
                       const std::vector<Assignment>& file = {}) const {
    JobOptions job;
    job.run.dir = run_;
    continue_job(job, file, file_origin("job.ini"), line, command_line_origin("train"));
    return job;
  }
  fs::path run_;
};

TEST_F(ContinueJob, TakesEverythingFromTheRun) {
  const JobOptions job = continued({});
  EXPECT_EQ(job.recipe, "caffe");
  EXPECT_EQ(job.run.seed, 7u);
  EXPECT_EQ(job.data.train, "train");
  EXPECT_EQ(job.run.dir, run_) << "it may have been moved";
  EXPECT_TRUE(job.render);
}

TEST_F(ContinueJob, LengthOutputAndWayOfWorkingMayChange) {
  const JobOptions job = continued({{"run.steps", "99"},
                                    {"run.keep", "1"},
                                    {"parallel.strategy", "model"},
                                    {"dist.timeout", "5"},
                                    {"device.threads", "3"},
                                    {"data.train", "copy"}},
                                   {{"run.steps", "50"}, {"run.log-every", "2"}});
  EXPECT_EQ(job.run.steps, 99) << "the command line wins";
  EXPECT_EQ(job.run.log_every, 2);
  EXPECT_EQ(job.run.keep, 1);
  EXPECT_EQ(job.dist.strategy, "model");
  EXPECT_EQ(job.device.threads, 3);
  EXPECT_EQ(job.data.train, "copy");
}

TEST_F(ContinueJob, TheSameAgainIsNoChange) {
  const JobOptions job = continued(
      {{"recipe", "caffe"}, {"run.seed", "7"}, {"model.classes", "0"}, {"device.conv", "auto"}});
  EXPECT_EQ(job.model.classes, 10);
  EXPECT_EQ(job.device.conv, "conv1:minimal,conv2:direct");
  EXPECT_EQ(continued({{"device.conv", "conv2:direct"}}).device.conv, job.device.conv);
}

TEST_F(ContinueJob, WhatMakesTheRunMayNotChange) {
  const auto refused = [&](const std::string& key, const std::string& value) {
    return refusal([&] { continued({{key, value}}); });
  };
  EXPECT_EQ(refused("run.seed", "8"),
            "--run.seed is 7 for the run in " + run_.string() +
                ", and cannot become 8: it would be another run; leave the option out, or choose "
                "another --run.dir");
  EXPECT_THAT(refused("recipe", "paper"), HasSubstr("--recipe is caffe"));
  EXPECT_THAT(refused("solver.lr", "0.5"), HasSubstr("--solver.lr is 0.01"));
  EXPECT_THAT(refused("data.mirror", "false"), HasSubstr("--data.mirror is true"));
  EXPECT_THAT(refused("model.classes", "11"), HasSubstr("--model.classes is 10"));
  EXPECT_THAT(refused("device.conv", "minimal"), HasSubstr("--device.conv is conv1:minimal,"));
  EXPECT_THAT(refused("device.precision", "fp32"), HasSubstr("--device.precision is auto"));
  EXPECT_THAT(refusal([&] {
                continued({}, {{"solver.batch", "3"}});
              }),
              HasSubstr("job.ini: solver.batch is 256"));
}

TEST_F(ContinueJob, ADamagedConfigurationIsNamed) {
  std::ofstream(run_ / "config.ini", std::ios::app) << "\n[solver]\nlr = fast\n";
  EXPECT_THAT(refusal([&] { continued({}); }), HasSubstr("config.ini"));
}

}  // namespace
}  // namespace convoy
