// Watchdogs of several ranks in one process, without MPI: who is late, who is silent, and the end.
#include "dist/watch/watchdog.h"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dist/watch/sentinel.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Carries messages between links of one process; a rank may be cut off.
class Wire {
 public:
  explicit Wire(std::size_t ranks) : boxes_(ranks), cut_(ranks) {}
  void cut(int rank) {
    const std::lock_guard lock(mutex_);
    cut_[static_cast<std::size_t>(rank)] = true;
  }
  void put(int from, int to, std::vector<std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    if (cut_[static_cast<std::size_t>(from)] || cut_[static_cast<std::size_t>(to)]) return;
    boxes_[static_cast<std::size_t>(to)].push_back({from, std::move(bytes)});
  }
  std::optional<WatchMessage> take(int rank) {
    const std::lock_guard lock(mutex_);
    auto& box = boxes_[static_cast<std::size_t>(rank)];
    if (box.empty()) return std::nullopt;
    WatchMessage message = std::move(box.front());
    box.pop_front();
    return message;
  }

 private:
  std::mutex mutex_;
  std::vector<std::deque<WatchMessage>> boxes_;
  std::vector<bool> cut_;
};

class Link : public WatchLink {
 public:
  Link(Wire& wire, int rank) : wire_(wire), rank_(rank) {}
  void send(int to, std::vector<std::byte> bytes) override {
    wire_.put(rank_, to, std::move(bytes));
  }
  std::optional<WatchMessage> receive() override { return wire_.take(rank_); }
  bool idle() override { return true; }

 private:
  Wire& wire_;
  int rank_;
};

// A job whose ranks are all in group 7.
class WatchdogTest : public testing::TestWithParam<int> {
 protected:
  struct Rank {
    Rank(Wire& wire, int rank, const std::vector<std::string>& hosts)
        : record(rank, static_cast<int>(hosts.size()), hosts[static_cast<std::size_t>(rank)], 1),
          group(record.add_group(7, "all ranks")),
          dog(record, std::make_unique<Link>(wire, rank), hosts) {
      record.name_layers({"conv1", "conv2"});
      record.set_step(5);
      dog.set_limit(1);
    }
    void wait_in(std::uint64_t number) {
      record.wait(record.enter(group, number, "exchange", 64, 1), true);
    }
    CollectiveRecord record;
    std::size_t group;
    Watchdog dog;
  };

  void SetUp() override {
    if (test_world().size() > 1) GTEST_SKIP() << "makes ranks of its own, in one process";
    std::vector<std::string> hosts;
    for (int rank = 0; rank < GetParam(); ++rank) hosts.push_back("node" + std::to_string(rank));
    for (int rank = 0; rank < GetParam(); ++rank)
      ranks_.push_back(std::make_unique<Rank>(wire_, rank, hosts));
  }
  Rank& rank(int rank) { return *ranks_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] static int last() { return GetParam() - 1; }
  // Runs on all ranks but one at a time.
  void on_others(int except, const std::function<void(Rank&)>& work) {
    std::vector<std::thread> threads;
    for (int r = 0; r < GetParam(); ++r)
      if (r != except) threads.emplace_back([&, r] { work(rank(r)); });
    for (std::thread& thread : threads) thread.join();
  }

  Wire wire_{static_cast<std::size_t>(GetParam())};
  std::vector<std::unique_ptr<Rank>> ranks_;
};

TEST_P(WatchdogTest, NamesTheRankThatIsLateAndWhereItIs) {
  for (const int late : {last(), 0}) {
    rank(late).record.set_place(Phase::backward, 1);
    on_others(late, [](Rank& rank) { rank.wait_in(rank.record.standing().groups[0].entered + 1); });
    on_others(late, [&](Rank& rank) {
      EXPECT_THAT(rank.dog.explain(),
                  AllOf(HasSubstr(fmt::format("rank {} on node{} has not come to it (step 5, conv2 "
                                              "backward)",
                                              late, late)),
                        Not(HasSubstr("does not answer"))));
      EXPECT_TRUE(rank.dog.over());
      EXPECT_FALSE(rank.dog.ends_job()) << "nobody has allowed it";
    });
    if (late != 0) {  // all ranks once more, the other way round
      rank(late).wait_in(1);
      for (auto& one : ranks_) {
        const AwaitedCollective in = one->record.standing().waits_in;
        one->record.leave(in.sequence, one->group, in.number);
      }
    }
  }
}

TEST_P(WatchdogTest, SaysWhoDoesNotAnswer) {
  on_others(-1, [](Rank& rank) { rank.wait_in(1); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // in which all report once
  wire_.cut(last());
  on_others(last(), [&](Rank& rank) {
    const std::string said = rank.dog.explain();
    EXPECT_THAT(said, HasSubstr(fmt::format("rank {} on node{} does not answer", last(), last())));
    EXPECT_THAT(said, HasSubstr("last heard of at step 5"));
  });
  EXPECT_THAT(rank(last()).dog.explain(),
              HasSubstr("rank 0 on node0, which knows about the others"));
}

TEST_P(WatchdogTest, EveryRankHearsThatTheJobIsOver) {
  for (auto& one : ranks_) one->dog.let_job_end();
  rank(last()).wait_in(1);
  static_cast<void>(rank(last()).dog.explain());
  on_others(last(), [&](Rank& rank) {
    for (int i = 0; i < 1000 && !rank.dog.ends_job(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(rank.dog.ends_job());
    EXPECT_THAT(
        rank.dog.last_words(),
        HasSubstr(fmt::format("rank {} on node{} has waited for too long in collective 1 of "
                              "all ranks, 'exchange' of 64 bytes",
                              last(), last())));
  });
}

TEST_P(WatchdogTest, TheEndIsReachedTogether) {
  std::atomic<int> ended = 0;
  std::thread others([&] {
    on_others(last(), [&](Rank& rank) {
      EXPECT_EQ(rank.dog.finish(), "");
      ++ended;
    });
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // more than the limit: it lives
  EXPECT_EQ(ended, 0) << "not before the last rank";
  EXPECT_EQ(rank(last()).dog.finish(), "");
  others.join();
}

TEST_P(WatchdogTest, ARankThatIsGoneDoesNotHoldUpTheEnd) {
  wire_.cut(last());
  std::string said;
  on_others(-1, [&](Rank& one) {
    const std::string sentence = one.dog.finish();
    if (&one == &rank(0)) said = sentence;
    if (&one == &rank(0) || &one == &rank(last())) {
      EXPECT_THAT(sentence, HasSubstr("does not answer at the end of the job"));
    }
    if (&one == &rank(0))  // the process ends then, and no longer answers
      for (int r = 0; r < GetParam(); ++r) wire_.cut(r);
  });
  EXPECT_THAT(said, HasSubstr(fmt::format("rank {} on node{}", last(), last())));
}

INSTANTIATE_TEST_SUITE_P(Ranks, WatchdogTest, testing::Values(2, 4));

TEST(WhyLate, NamesAFewAndCountsTheOthers) {
  std::vector<KnownRank> ranks(1000);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    ranks[i].heard = true;
    ranks[i].last.rank = static_cast<int>(i);
    ranks[i].last.host = "h";
    ranks[i].last.groups = {{7, i == 0 ? 3U : 2U, 2U}};
  }
  ranks[0].last.waits_in = {1, 7, 3, 64, 60, "exchange", "all ranks"};
  const std::string text = why_late(ranks, 0);
  EXPECT_THAT(text, HasSubstr("rank 1 on h has not come to it"));
  EXPECT_THAT(text, HasSubstr("and 993 more"));
  EXPECT_LT(text.size(), 1000U);

  ranks.resize(3);
  ranks[1].last.groups[0] = {7, 3, 2};  // has come, and is busy
  ranks[2].last.groups[0] = {8, 9, 9};  // has nothing to do with it
  EXPECT_THAT(why_late(ranks, 0), AllOf(HasSubstr("rank 1 on h came to it, but does not move"),
                                        Not(HasSubstr("rank 2"))));
  ranks[1].last.waits_in = {4, 7, 3, 64, 60, "exchange", "all ranks"};
  EXPECT_EQ(why_late(ranks, 0), "all of them came to it, but it did not end");
}

class SentinelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test_world().size() > 1) GTEST_SKIP() << "one rank says it all";
  }
  Sentinel::Job job() {
    return {.over = [this] { return over_.load(); },
            .noticed = [this] { return noticed_.load(); },
            .words = [] { return "rank 1 is late"; },
            .end = [this](int code) { code_ = code; }};
  }
  void say(const std::string& sentence) {
    const std::lock_guard lock(mutex_);
    said_ = sentence;
  }
  std::string said() {
    const std::lock_guard lock(mutex_);
    return said_;
  }
  int code_after(double seconds) {
    for (int i = 0; i < 100 * seconds && code_ < 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return code_;
  }

  CollectiveRecord record_{0, 2, "node0", 1};
  std::atomic<bool> over_ = false;
  std::atomic<bool> noticed_ = false;
  std::atomic<int> code_ = -1;
  std::mutex mutex_;
  std::string said_;
};

TEST_F(SentinelTest, EndsARankThatIsStuckInACollective) {
  Sentinel sentinel(record_, job(), 0.2);
  const std::size_t group = record_.add_group(7, "ranks 0 and 1");
  record_.wait(record_.enter(group, 1, "gradients", 64, 0.3), true);
  EXPECT_EQ(code_after(1), -1) << "it is not armed";
  sentinel.arm([this](const std::string& sentence) { say(sentence); });
  EXPECT_EQ(code_after(20), 5);
  EXPECT_THAT(said(), AllOf(HasSubstr("collective 1 of ranks 0 and 1, 'gradients' of 64 bytes"),
                            HasSubstr("within 0.3 seconds"), HasSubstr("rank 1 is late")));
}

TEST_F(SentinelTest, LeavesARankAloneThatWaitsInNothingOrForEver) {
  Sentinel sentinel(record_, job(), 0.1);
  sentinel.arm([this](const std::string& sentence) { say(sentence); });
  const std::size_t group = record_.add_group(7, "ranks 0 and 1");
  record_.wait(record_.enter(group, 1, "kernels", 64, 0), true);
  static_cast<void>(record_.enter(group, 2, "gradients", 64, 0.1));  // and computes
  EXPECT_EQ(code_after(0.7), -1) << said();
}

TEST_F(SentinelTest, EndsARankThatDoesNotNoticeTheEndOfTheJob) {
  Sentinel sentinel(record_, job(), 0.8);
  sentinel.arm([this](const std::string& sentence) { say(sentence); });
  record_.set_step(3);
  noticed_ = true;
  over_ = true;
  EXPECT_EQ(code_after(1.5), -1) << "its trainer has noticed";
  noticed_ = false;
  EXPECT_EQ(code_after(20), 5);
  EXPECT_THAT(said(), HasSubstr("the job is over while this rank is at step 3"));
}

TEST_F(SentinelTest, EndsARankWhoseEndIsStuck) {
  Sentinel sentinel(record_, job(), 0.2);
  sentinel.expect_end(3);
  EXPECT_EQ(code_after(20), 3);
}

}  // namespace
}  // namespace convoy
