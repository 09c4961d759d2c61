// The reason Convoy exists: every strategy computes what one rank computes.
//
// Each test trains the same net, seed and batches under a strategy and, on every rank alone, under
// `single`. Compared are every parameter's gradient, the change of every tensor, and the losses:
// losses alone would prove little, as at small initial weights they hardly depend on the
// convolutions.
#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"
#include "dist/partition/traffic.h"
#include "dist/step/step_runner.h"
#include "tests/dist/equal_runs.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"
#include "tests/dist/training_run.h"

namespace convoy {
namespace {

// Recipes' variants that concern the order of layers and where dropout stands.
JobOptions in_2012_order() {
  JobOptions job = small_job();
  job.model.order = "2012";
  job.model.spatial_norm = true;
  job.model.drop_before = true;
  job.solver.bias_lr_factor = 2;
  return job;
}

TEST(Equality, DataParallelOnAllRanks) { compare_with_single(test_world(), small_job(), "data"); }

TEST(Equality, ModelParallelOnPairsOfRanks) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy model needs pairs of ranks";
  const auto pair = test_world().part(test_world().rank() / 2);
  compare_with_single(*pair, small_job(), "model");
}

TEST(Equality, ModelParallelIn2012OrderWithSpatialNorm) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy model needs pairs of ranks";
  const auto pair = test_world().part(test_world().rank() / 2);
  compare_with_single(*pair, in_2012_order(), "model");
}

TEST(Equality, OneColumnDataParallelWithAdam) {
  JobOptions job = small_job();
  job.model.towers = 1;
  job.solver.kind = "adam";
  job.solver.lr = 1e-4;
  compare_with_single(test_world(), job, "data");
}

TEST(Equality, HybridOnReplicasOfPairs) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy hybrid needs pairs of ranks";
  compare_with_single(test_world(), small_job(), "hybrid");
}

TEST(Equality, HybridIn2012OrderWithSpatialNorm) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy hybrid needs pairs of ranks";
  compare_with_single(test_world(), in_2012_order(), "hybrid");
}

TEST(Equality, HybridByDirectConvolutionOverMpi) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy hybrid needs pairs of ranks";
  JobOptions job = small_job();
  job.device.conv = "direct";
  job.dist.backend = "mpi";
  compare_with_single(test_world(), job, "hybrid");
}

// Krizhevsky 2014 by both of its schemes. 10 and 7 classes do not go evenly over 4 ranks. Sums are
// rounded in another order than on one rank, so seeds are such that no two values of a pooling
// window tie nearly: rounding would decide where a gradient goes, and one rank whose initial
// weights differ in the last bit would drift as far. (Adam's steps are as long where a gradient is
// nothing but rounding; it is compared where bits are equal.)
class OwtEquality : public testing::TestWithParam<const char*> {
 protected:
  static void compare(JobOptions job) {
    job.dist.owt_scheme = GetParam();
    compare_with_single(test_world(), job, "owt");
  }
};

TEST_P(OwtEquality, TwoTowers) {
  JobOptions job = small_job();
  job.run.seed = 15;
  compare(job);
}

TEST_P(OwtEquality, OneColumnWithTenClasses) {
  JobOptions job = small_job();
  job.model.towers = 1;
  job.model.classes = 10;
  job.run.seed = 13;
  compare(job);
}

TEST_P(OwtEquality, In2012OrderWithSpatialNorm) { compare(in_2012_order()); }

TEST_P(OwtEquality, ByDirectConvolutionOverMpi) {
  JobOptions job = small_job();
  job.device.conv = "direct";
  job.dist.backend = "mpi";
  compare(job);
}

INSTANTIATE_TEST_SUITE_P(Schemes, OwtEquality, testing::Values("all", "turns"),
                         [](const auto& instance) { return std::string(instance.param); });

// What one rank with all images does in the middle of backward is what replicas do after it.
TEST(Equality, UpdateWithinBackwardIsTheOneAfterIt) {
  const auto alone = test_world().part(test_world().rank());
  for (const char* kind : {"sgd", "adam"}) {
    JobOptions job = small_job();
    job.model.neurons = {200, 100};
    job.solver.kind = kind;
    job.device.threads = 2;
    job.dist.strategy = "single";
    TrainingRun within(*alone, job);
    TrainingRun after(*alone, job);
    Solver solver(after.session.device(), after.session.network(), job.solver);
    for (std::int64_t step = 0; step < 3; ++step) {
      within.step(step);
      const Images images(after.session, static_cast<std::uint32_t>(step));
      Network& network = after.session.network();
      const OpContext op = after.session.op();
      const Pass pass{op, true, {job.run.seed, static_cast<std::uint32_t>(step), 0}};
      solver.begin_step({step, 0, 1, 0});
      after.feed.upload(images.batch());
      after.feed.load(true, op, network.input());
      network.forward(pass);
      after.session.loss(after.feed.labels(), 1.0f / kBatch);
      network.backward(pass, nullptr);
      solver.update(op, {0, network.gradients().count()});
    }
    EXPECT_EQ(within.values(), after.values()) << kind;
  }
}

// Sums are made in an order that depends on neither ranks nor threads, so with minimal filtering
// nothing at all differs: not the losses, not a bit of a weight.
void expect_the_same_bits(World& world, const std::string& strategy, int threads,
                          JobOptions job = small_job()) {
  const auto alone = test_world().part(test_world().rank());
  job.dist.strategy = strategy;
  TrainingRun split(world, job);
  job.dist.strategy = "single";
  job.device.threads = threads;
  TrainingRun whole(*alone, job);
  for (std::int64_t step = 0; step < 10; ++step)
    EXPECT_EQ(split.step(step), whole.step(step)) << "loss of step " << step;
  const std::vector<float> values = whole.values();
  std::int64_t offset = 0;
  for (const Parameter* part : split.session.network().parameters()) {
    const std::int64_t begin = offset + part->rows.begin * part->logical.per_row();
    EXPECT_EQ(std::memcmp(part->value.f32(), values.data() + begin, part->value.bytes()), 0)
        << part->layer << " " << part->kind;
    offset += part->logical.count();
  }
}

TEST(Equality, ModelParallelHasTheBitsOfOneRank) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy model needs pairs of ranks";
  const auto pair = test_world().part(test_world().rank() / 2);
  for (int threads : {1, 2, 3}) expect_the_same_bits(*pair, "model", threads);
}

TEST(Equality, DataParallelHasTheBitsOfOneRank) {
  for (int threads : {1, 2}) expect_the_same_bits(test_world(), "data", threads);
}

TEST(Equality, HybridHasTheBitsOfOneRank) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy hybrid needs pairs of ranks";
  expect_the_same_bits(test_world(), "hybrid", 1);
}

// As between hosts.
TEST(Equality, ReplicasThatShareNoMemoryHaveTheBitsOfOneRank) {
  JobOptions job = small_job();
  job.dist.backend = "mpi";
  expect_the_same_bits(test_world(), "data", 1, job);
  if (test_world().size() % 2 == 0) expect_the_same_bits(test_world(), "hybrid", 1, job);
}

// Two ranks cut fully connected layers as towers do; more cut finer, and the gradients of what the
// layers read are sums over ranks.
TEST(Equality, OwtOnTwoRanksHasTheBitsOfOneRank) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "pairs of ranks";
  const auto pair = test_world().part(test_world().rank() / 2);
  for (const char* scheme : {"all", "turns"}) {
    for (const char* solver : {"sgd", "adam"}) {
      JobOptions job = small_job();
      job.dist.owt_scheme = scheme;
      job.solver.kind = solver;
      expect_the_same_bits(*pair, "owt", 1, job);
    }
  }
}

TEST(Equality, DataParallelByDirectConvolutionOverMpi) {
  JobOptions job = small_job();
  job.device.conv = "direct";
  job.dist.backend = "mpi";
  compare_with_single(test_world(), job, "data");
}

TEST(Equality, ModelParallelByDirectConvolution) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy model needs pairs of ranks";
  const auto pair = test_world().part(test_world().rank() / 2);
  JobOptions job = small_job();
  job.device.conv = "direct";
  compare_with_single(*pair, job, "model");
}

// Replicas start equal and add up the same bits, so they must stay equal to the last bit.
TEST(Equality, ReplicasKeepTheSameWeights) {
  JobOptions job = small_job();
  job.dist.strategy = "data";
  TrainingRun run(test_world(), job);
  for (std::int64_t step = 0; step < 5; ++step) run.step(step);
  std::vector<float> mine = run.values();
  std::vector<float> first = mine;
  const auto comm = test_world().split(0);
  comm->broadcast("weights", first.data(), first.size() * sizeof(float), 0);
  EXPECT_EQ(std::memcmp(mine.data(), first.data(), mine.size() * sizeof(float)), 0);
}

// The communicators' counters confirm what `convoy inspect` predicts.
TEST(Equality, BytesMovedAreThePredictedOnes) {
  const bool pairs = test_world().size() % 2 == 0;
  for (const std::string name : {"data", "model", "hybrid", "owt", "owt turns"}) {
    if (!pairs && (name == "model" || name == "hybrid")) continue;
    const auto world = test_world().part(name == "model" ? test_world().rank() / 2 : 0);
    JobOptions job = small_job();
    job.dist.strategy = name.substr(0, name.find(' '));
    if (name == "owt turns") job.dist.owt_scheme = "turns";
    TrainingRun run(*world, job);
    run.step(0);
    std::int64_t predicted = 0;
    for (const TrafficLine& line :
         predict_traffic(run.session.net(), run.session.strategy(), kBatch)) {
      predicted += line.payload_bytes;
    }
    // Of rank 0; others may hold a class more.
    if (run.session.leader()) {
      EXPECT_EQ(run.session.payload_bytes(), predicted) << name;
    }
    for (const auto& [place, count] : run.session.towers().traffic()) {
      if (count.payload_bytes == 0) continue;
      EXPECT_TRUE(place == "exchange-conv3" || place == "exchange-fc6" || place == "exchange-fc7" ||
                  place == "exchange-fc8" || place == "exchange-loss" || place == "exchange-images")
          << place;
    }
    if (job.dist.strategy == "owt") {
      EXPECT_EQ(run.session.towers().traffic().count("exchange-conv3"), 0u);
    }
  }
}

}  // namespace
}  // namespace convoy
