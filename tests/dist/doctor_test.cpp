// What the doctor makes of clusters that are described here, and of the ranks that run the test.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dist/comm/texts.h"
#include "dist/doctor/diagnosis.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

using testing::HasSubstr;

RankReport rank_on(const std::string& host) {
  RankReport rank;
  rank.host = host;
  rank.cores = 4;
  rank.device = "a processor";
  rank.kernels = "AVX2";
  rank.processor = "cpu";
  rank.program = "0123abcd";
  rank.libraries = {{"Open MPI", "4.1.4", "4.1.4"}, {"CUDA driver", "13.0", ""}};
  rank.clock = 1000;
  rank.train = {"", "f00d", 100, 50, 1e6};
  return rank;
}

std::vector<RankReport> healthy() {
  return {rank_on("c1"), rank_on("c1"), rank_on("c2"), rank_on("c2")};
}

// The one finding that is bad.
Finding fault(const std::vector<Finding>& findings) {
  std::vector<Finding> faults;
  for (const Finding& finding : findings)
    if (!finding.good) faults.push_back(finding);
  EXPECT_EQ(faults.size(), 1u);
  return faults.empty() ? Finding{} : faults.front();
}

bool all_good(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    if (!finding.good) ADD_FAILURE() << finding.text;
    if (!finding.good) return false;
  }
  return !findings.empty();
}

TEST(Doctor, FindsNothingWrongWithAHealthyCluster) {
  const auto ranks = healthy();
  EXPECT_TRUE(judge_program(ranks).good);
  EXPECT_TRUE(all_good(judge_libraries(ranks)));
  EXPECT_TRUE(all_good(judge_placement(ranks)));
  EXPECT_TRUE(judge_clocks(ranks).good);
  EXPECT_TRUE(judge_dataset(ranks, "data.train", &RankReport::train).good);
  EXPECT_TRUE(all_good(judge_links(ranks, {{{0, 2}, 20, 1e9, 8e8}, {{0, 1}, 1, 5e9, 4e9}}, 1000)));
}

TEST(Doctor, NamesTheRankWithAnotherProgram) {
  auto ranks = healthy();
  ranks[3].program = "ffff0000";
  const Finding finding = judge_program(ranks);
  EXPECT_FALSE(finding.good);
  EXPECT_THAT(finding.text, HasSubstr("rank 3 (c2) runs another file"));
}

TEST(Doctor, ComparesLibrariesWithTheBuildAndBetweenHosts) {
  auto ranks = healthy();
  ranks[2].libraries[0].found = "5.0.1";
  EXPECT_THAT(fault(judge_libraries(ranks)).text,
              HasSubstr("rank 2 (c2) has Open MPI 5.0.1, and Convoy was built with 4.1.4"));
  ranks[2].libraries[0].found = "4.1.2";
  EXPECT_THAT(fault(judge_libraries(ranks)).text,
              HasSubstr("rank 2 (c2) has Open MPI 4.1.2, and rank 0 (c1) has 4.1.4"));
}

// A driver must be at least as new as what was built; on CPUs none is needed.
TEST(Doctor, WantsADriverOnlyForGpus) {
  auto ranks = healthy();
  for (RankReport& rank : ranks) rank.gpu = true;
  EXPECT_THAT(fault(judge_libraries(ranks)).text, HasSubstr("CUDA driver none"));
  for (RankReport& rank : ranks) rank.libraries[1].found = "14.1";
  EXPECT_TRUE(all_good(judge_libraries(ranks)));
  for (RankReport& rank : ranks) rank.libraries[1].found = "12.4";
  EXPECT_THAT(fault(judge_libraries(ranks)).text, HasSubstr("CUDA driver 12.4"));
}

TEST(Doctor, ComplainsOfUnevenHostsAndOfSharedOrIdleGpus) {
  auto ranks = healthy();
  ranks.push_back(rank_on("c2"));
  EXPECT_THAT(fault(judge_placement(ranks)).text, HasSubstr("2 on c1, 3 on c2"));
  ranks = healthy();
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    ranks[i].gpu = true;
    ranks[i].gpus_of_host = 2;
    ranks[i].processor = fmt::format("gpu{}", i % 2);
  }
  EXPECT_TRUE(all_good(judge_placement(ranks)));
  ranks[1].processor = "gpu0";
  EXPECT_THAT(fault(judge_placement(ranks)).text, HasSubstr("2 ranks of c1 share 1 GPU"));
  ranks[1].processor = "gpu1";
  for (RankReport& rank : ranks) rank.gpus_of_host = 3;
  EXPECT_FALSE(judge_placement(ranks)[1].good);
  EXPECT_THAT(judge_placement(ranks)[1].text, HasSubstr("leave 1 of its 3 GPUs idle"));
}

TEST(Doctor, PassesOnWhyADeviceCannotBeHad) {
  auto ranks = healthy();
  ranks[1].device_fault = "no NVIDIA driver was found on this host";
  EXPECT_THAT(fault(judge_placement(ranks)).text, HasSubstr("rank 1 (c1): no NVIDIA driver"));
}

TEST(Doctor, ComplainsOfUnlikeProcessorsAndClocks) {
  auto ranks = healthy();
  ranks[2].kernels = "AVX-512";
  EXPECT_THAT(fault(judge_placement(ranks)).text, HasSubstr("rank 2 (c2) computes with AVX-512"));
  ranks[2].clock = 990;
  const Finding finding = judge_clocks(ranks);
  EXPECT_FALSE(finding.good);
  EXPECT_THAT(finding.text, HasSubstr("the clock of c2 is 10.0 s behind"));
}

TEST(Doctor, NamesThePairThatIsSlow) {
  std::vector<RankReport> ranks{rank_on("c1"), rank_on("c2"), rank_on("c3")};
  const LinkTimes usual{{0, 1}, 20, 1e8, 1e8};
  LinkTimes slow{{1, 2}, 20, 1e7, 1e7};
  const auto findings = judge_links(ranks, {usual, {{0, 2}, 20, 1.1e8, 1e8}, slow}, 100'000'000);
  EXPECT_THAT(fault(findings).text, HasSubstr("rank 1 (c2) and rank 2 (c3) exchange 10.0 MB/s"));
  EXPECT_EQ(fault(findings).code, ExitCode::rank_failed);
  // 100 MB over the slowest pair's 10 MB/s.
  EXPECT_THAT(findings.back().text, HasSubstr("take 10000 ms a step"));
  slow = {{1, 2}, 90'000, 1e8, 1e8};
  EXPECT_THAT(fault(judge_links(ranks, {usual, {{0, 2}, 20, 1e8, 1e8}, slow}, 1)).text,
              HasSubstr("need 90000 us for a barrier"));
}

TEST(Doctor, ComparesDatasets) {
  auto ranks = healthy();
  ranks[2].train.fingerprint = "beef";
  EXPECT_THAT(judge_dataset(ranks, "data.train", &RankReport::train).text,
              HasSubstr("rank 2 (c2) has another dataset there (fingerprint beef)"));
  ranks[2].train.fault = "x/index.h5 is not there";
  const Finding finding = judge_dataset(ranks, "data.train", &RankReport::train);
  EXPECT_EQ(finding.code, ExitCode::bad_data);
  EXPECT_THAT(finding.text, HasSubstr("rank 2 (c2): x/index.h5"));
}

TEST(Doctor, ComparesDiskAndPatienceWithCheckpoints) {
  DiskFacts disk{"/runs", "", 1e9, 1e8};
  EXPECT_TRUE(all_good(judge_disk(disk, 2e8, 4, 30.0)));
  EXPECT_THAT(fault(judge_disk(disk, 3e8, 4, {})).text, HasSubstr("checkpoints need 1.20 GB"));
  EXPECT_THAT(fault(judge_disk(disk, 2e8, 4, 2.0)).text,
              HasSubstr("Slurm kills a job 2 s after it asked it to end"));
  disk.fault = "Read-only file system";
  EXPECT_EQ(fault(judge_disk(disk, 1, 1, {})).code, ExitCode::resource);
}

TEST(Doctor, ReadsSlurmsSettings) {
  EXPECT_EQ(seconds_of("JobRequeue = 1\nKillWait                = 30 sec\n", "KillWait"), 30);
  EXPECT_EQ(seconds_of("   PriorityTier=1 GraceTime=120 Hidden=NO", "GraceTime"), 120);
  EXPECT_EQ(seconds_of("slurm_load_ctl_conf error", "KillWait"), std::nullopt);
}

TEST(Doctor, PairsEveryHostWithEveryOtherOnce) {
  for (const int count : {1, 2, 3, 4, 7}) {
    std::vector<std::string> hosts;
    for (int host = 0; host < count; ++host)
      for (int rank = 0; rank < 2; ++rank) hosts.push_back(fmt::format("c{}", host));
    std::set<RankPair> seen;
    std::size_t pairs = 0;
    for (const auto& round : pair_rounds(hosts)) {
      std::set<int> busy;
      for (const RankPair& pair : round) {
        EXPECT_TRUE(busy.insert(pair.first).second && busy.insert(pair.second).second);
        EXPECT_TRUE(seen.insert(pair).second);
        ++pairs;
      }
    }
    const auto n = static_cast<std::size_t>(count);
    EXPECT_EQ(pairs, n * (n - 1) / 2 + 1) << count;  // and one pair within the first host
    EXPECT_TRUE(seen.contains({0, 1}));
  }
}

TEST(Doctor, TimesTheRanksThatThereAre) {
  const auto everyone = test_world().split(0);
  DeviceOptions options;
  options.kind = "cpu";
  options.threads = 1;
  const auto device = make_device(options, {});
  std::vector<std::string> hosts(static_cast<std::size_t>(test_world().size()), "here");
  const auto links =
      time_links(test_world(), *everyone, *device, Backend::mpi, 60, pair_rounds(hosts));
  ASSERT_EQ(links.size(), test_world().size() > 1 ? 1u : 0u);
  for (const LinkTimes& link : links) {
    EXPECT_EQ(link.ranks, RankPair(0, 1));
    EXPECT_GT(link.latency_us, 0);
    EXPECT_GT(link.exchange_per_second, 0);
    EXPECT_GT(link.reduce_per_second, 0);
  }
}

TEST(Doctor, TextsOfAllRanksArriveWhole) {
  const auto everyone = test_world().split(0);
  const std::string mine(static_cast<std::size_t>(test_world().rank() * 1000), 'x');
  const auto all = gather_texts(*everyone, "texts", mine);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(test_world().size()));
  for (std::size_t rank = 0; rank < all.size(); ++rank) EXPECT_EQ(all[rank].size(), rank * 1000);
}

}  // namespace
}  // namespace convoy
