// A run that is left and gone on with, at any step and under other strategies, comes to the same
// weights, momentum and losses, to the last bit, as the run that was never left.
#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <tensorboard.pb.h>

#include "core/error.h"
#include "dist/checkpoint/checkpointer.h"
#include "dist/checkpoint/kept_checkpoints.h"
#include "dist/comm/control.h"
#include "dist/comm/texts.h"
#include "dist/train/signals.h"
#include "io/files/temporary_folder.h"
#include "io/run/event_names.h"
#include "io/run/record_file.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"
#include "tests/dist/training_run.h"
#include "tests/io/small_dataset.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSteps = 10;  // of 3 an epoch
constexpr std::int64_t kHistogramEvery = 4;

// A folder of rank 0 that all ranks see, with a dataset in it.
class Resume : public testing::Test {
 protected:
  Resume() {
    const auto everyone = test_world().split(0);
    if (everyone->rank() == 0) {
      own_ = std::make_unique<TemporaryFolder>();
      testing::internal::CaptureStderr();
      small_dataset(own_->path(), 4, 6, 80);
      testing::internal::GetCapturedStderr();
    }
    folder_ = broadcast_text(*everyone, "folder", own_ ? own_->path().string() : "", 0);
  }
  ~Resume() override { test_world().split(0)->barrier("end of a test"); }

  [[nodiscard]] JobOptions job(const std::string& run, const std::string& solver) const {
    JobOptions job = small_job();
    job.model.classes = 0;
    job.solver.kind = solver;
    job.solver.schedule = "plateau";
    job.solver.plateau_patience = 1;
    job.solver.lr = 1e-5;  // nothing is learnt, so that the plateau's state counts
    job.data.train = folder_ / "packed";
    job.data.val = folder_ / "packed";
    job.run.dir = folder_ / run;
    job.run.log_every = 1;
    job.run.histogram_every = kHistogramEvery;
    job.run.steps = kSteps;
    return job;
  }
  // Trains until `steps` are done, on so many ranks of the world; the others wait.
  static TrainResult train_to(std::int64_t steps, const std::string& strategy, int ranks,
                              JobOptions job) {
    job.run.steps = steps;
    job.dist.strategy = strategy;
    const bool takes_part = test_world().rank() < ranks;
    const auto part = test_world().part(takes_part ? 0 : 1);
    TrainResult result;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    if (takes_part) result = train(*part, job);
    testing::internal::GetCapturedStdout();
    testing::internal::GetCapturedStderr();
    test_world().split(0)->barrier("trained");
    return result;
  }
  [[nodiscard]] std::map<std::string, std::vector<float>> tensors(const std::string& run) const {
    const CheckpointReader reader(checkpoints_in(folder_ / run / "checkpoints").front().path);
    EXPECT_EQ(reader.info().step, kSteps);
    std::map<std::string, std::vector<float>> tensors;
    for (const auto& entry : reader.entries()) {
      auto& values = tensors[entry.layer + "." + entry.kind];
      values.resize(static_cast<std::size_t>(entry.shape.count()));
      reader.read(entry.layer, entry.kind, entry.shape, {0, entry.shape.n}, values.data());
    }
    return tensors;
  }
  // Step, kind and loss of every line. Replicas sum an evaluation's loss in double in another order
  // than one rank does.
  [[nodiscard]] std::vector<std::string> losses(const std::string& run) const {
    std::ifstream in(folder_ / run / "metrics.jsonl");
    std::vector<std::string> losses;
    for (std::string line; std::getline(in, line);) {
      const auto json = nlohmann::json::parse(line);
      const bool training = json["kind"] == "train";
      losses.push_back(fmt::format(
          "{} {} {}", training ? "train" : "eval", json["step"].get<std::int64_t>(),
          training ? json["loss"].dump() : fmt::format("{:.12g}", json["loss"].get<double>())));
    }
    return losses;
  }
  // What TensorBoard reads: every loss, and histograms and pictures but those that are there only
  // because a part of the run ended.
  [[nodiscard]] std::vector<std::string> events(const std::string& run) const {
    std::vector<std::string> events;
    for (const fs::path& file : event_files(folder_ / run / "tensorboard")) {
      RecordReader reader(file);
      for (std::string record; reader.next(record);) {
        tensorboard::Event event;
        EXPECT_TRUE(event.ParseFromString(record));
        for (const auto& value : event.summary().value()) {
          const std::string place = fmt::format("{} {}", event.step(), value.tag());
          const bool due = event.step() % kHistogramEvery == 0 || event.step() == kSteps;
          if (due && (value.has_histo() || value.has_image()))
            events.push_back(place + value.SerializeAsString());
          if (value.tag().starts_with("loss/"))
            events.push_back(fmt::format("{} {:.6g}", place, value.simple_value()));
        }
      }
    }
    return events;
  }
  void expect_same(const std::string& a, const std::string& b) const {
    EXPECT_EQ(losses(a), losses(b));
    EXPECT_TRUE(events(a) == events(b)) << events(a).size() << ", " << events(b).size();
    EXPECT_FALSE(events(a).empty());
    EXPECT_EQ(tensors(a), tensors(b));
  }

  std::unique_ptr<TemporaryFolder> own_;
  fs::path folder_;
};

TEST_F(Resume, UnderTheSameStrategyAtAnyStep) {
  const int ranks = test_world().size();
  const std::string strategy = ranks == 1 ? "single" : "data";
  for (const std::string solver : {"sgd", "adam"}) {
    train_to(kSteps, strategy, ranks, job(solver, solver));
    for (const std::int64_t step : {1, 3, 5}) {
      const std::string run = solver + std::to_string(step);
      train_to(step, strategy, ranks, job(run, solver));
      // An end within an epoch is evaluated, which a run that goes on has not been.
      EXPECT_EQ(train_to(kSteps, strategy, ranks, job(run, solver)).trained_steps, kSteps - step);
      expect_same(solver, run);
      EXPECT_EQ(tensors(run).count("fc6.weight_moment2"), solver == "adam" ? 1u : 0u);
    }
  }
}

TEST_F(Resume, AcrossStrategies) {
  if (test_world().size() < 2) GTEST_SKIP() << "strategies need ranks";
  for (const std::string solver : {"sgd", "adam"}) {
    train_to(kSteps, "model", 2, job("whole-" + solver, solver));
    const JobOptions mixed = job("mixed-" + solver, solver);
    train_to(2, "model", 2, mixed);
    train_to(4, "data", test_world().size(), mixed);
    train_to(7, "single", 1, mixed);
    train_to(kSteps, "model", 2, mixed);
    expect_same("whole-" + solver, "mixed-" + solver);
  }
}

TEST_F(Resume, AFinishedRunIsLeftAsItIs) {
  const int ranks = test_world().size();
  const std::string strategy = ranks == 1 ? "single" : "data";
  train_to(kSteps, strategy, ranks, job("run", "sgd"));
  const auto before = losses("run");
  const TrainResult again = train_to(kSteps, strategy, ranks, job("run", "sgd"));
  EXPECT_EQ(again.trained_steps, 0);
  EXPECT_EQ(again.steps, kSteps);
  EXPECT_EQ(losses("run"), before);
}

TEST_F(Resume, AnotherBatchOrDatasetIsRefused) {
  if (test_world().size() > 1) GTEST_SKIP() << "rank 0 ends the job";
  train_to(2, "single", 1, job("run", "sgd"));
  JobOptions other = job("run", "sgd");
  other.solver.batch = 4;
  const auto refusal = [&](ExitCode code) {
    testing::internal::CaptureStdout();
    std::string sentence;
    try {
      train(test_world(), other);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      sentence = error.what();
    }
    testing::internal::GetCapturedStdout();
    return sentence;
  };
  EXPECT_THAT(refusal(ExitCode::usage), testing::HasSubstr("with solver.batch 8, not 4"));
  other = job("run", "sgd");
  testing::internal::CaptureStderr();
  other.data.train = small_dataset(folder_ / "other", 4, 7, 80);
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(refusal(ExitCode::usage), testing::HasSubstr("is not the dataset that the run"));
}

TEST(ControlRounds, AllHearWhatOneSays) {
  World& world = test_world();
  Control control(world, 60);
  for (int speaker = 0; speaker < world.size(); ++speaker) {
    const bool mine = world.rank() == speaker;
    control.say({.stop = mine, .waiting = world.rank() != speaker});
    const Notice all = control.hear();
    EXPECT_TRUE(all.stop);
    EXPECT_EQ(all.waiting, world.size() > 1);
    EXPECT_FALSE(all.checkpoint || all.failed || all.busy);
  }
}

TEST(SignalsOfTheProcess, AreTakenWhileTheyAreWatched) {
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) {
    Signals signals;
    EXPECT_FALSE(signals.stop_asked());
    std::raise(number);
    EXPECT_TRUE(signals.stop_asked());
    EXPECT_FALSE(signals.take_checkpoint_request());
  }
  Signals signals;
  std::raise(SIGUSR2);
  EXPECT_TRUE(signals.take_checkpoint_request());
  EXPECT_FALSE(signals.take_checkpoint_request());
  EXPECT_FALSE(signals.stop_asked());
}

TEST(SignalsOfTheProcess, ASecondInterruptEndsIt) {
  if (test_world().size() > 1) GTEST_SKIP() << "a copy of a process cannot be a rank";
  EXPECT_EXIT(
      {
        const Signals signals;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(SnapshotOfATrainingRun, CoversEveryTensorOnceWhateverTheStrategy) {
  World& world = test_world();
  JobOptions job = small_job();
  for (const std::string strategy : {"model", "data"}) {
    if ((strategy == "model") != (world.size() == 2)) continue;
    job.dist.strategy = world.size() == 1 ? "single" : strategy;
    TrainingRun run(world, job);
    const Snapshot snapshot(run.session.everyone(), run.session.device(), run.session.network(),
                            run.runner.solver());
    std::vector<std::int64_t> rows(snapshot.tensors().size());
    std::size_t mine = 0;
    for (const Snapshot::Piece& piece : snapshot.pieces()) {
      EXPECT_EQ(piece.rows.begin, rows[piece.tensor]);
      rows[piece.tensor] = piece.rows.end;
      EXPECT_EQ(piece.values != nullptr, piece.rank == world.rank());
      if (piece.values != nullptr) mine += piece.bytes;
      EXPECT_TRUE(piece.rank == 0 || job.dist.strategy == "model");
    }
    for (std::size_t t = 0; t < rows.size(); ++t)
      EXPECT_EQ(rows[t], snapshot.tensors()[t].shape.n) << snapshot.tensors()[t].layer;
    EXPECT_EQ(snapshot.bytes(), mine);
  }
}

}  // namespace
}  // namespace convoy
