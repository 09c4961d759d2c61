// Collectives against closed forms, at whatever number of ranks the tests run.
#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dist/test_world.h"

namespace convoy {
namespace {

class CommunicatorTest : public testing::Test {
 protected:
  void SetUp() override {
    device_ = test_device();
    stream_ = device_->make_stream();
    comm_ = test_world().split(0, *device_, Backend::mpi, 60);
    rank_ = comm_->rank();
    size_ = comm_->size();
  }
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Communicator> comm_;
  int rank_ = 0;
  int size_ = 1;
};

TEST_F(CommunicatorTest, AllGatherKeepsTheOrderOfRanks) {
  const std::vector<float> part{10.f * static_cast<float>(rank_), 1.f};
  std::vector<float> all(2 * static_cast<std::size_t>(size_));
  comm_->all_gather("test", part.data(), all.data(), 2, DType::f32, *stream_);
  for (std::size_t r = 0; r < static_cast<std::size_t>(size_); ++r) {
    EXPECT_EQ(all[2 * r], 10.f * static_cast<float>(r));
    EXPECT_EQ(all[2 * r + 1], 1.f);
  }
}

TEST_F(CommunicatorTest, ReduceScatterGivesEachRankItsBlockOfTheSum) {
  const auto n = static_cast<std::size_t>(size_);
  std::vector<float> all(3 * n);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<float>(i) + 100.f * static_cast<float>(rank_);
  }
  std::vector<float> part(3);
  comm_->reduce_scatter("test", all.data(), part.data(), 3, DType::f32, *stream_);
  const float ranks_sum = static_cast<float>(size_ * (size_ - 1) / 2);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto element = static_cast<float>(3 * static_cast<std::size_t>(rank_) + i);
    EXPECT_EQ(part[i], static_cast<float>(size_) * element + 100.f * ranks_sum);
  }
}

TEST_F(CommunicatorTest, SeveralAllReducesMayBeUnderWayAtOnce) {
  std::vector<std::vector<float>> values(5);
  std::vector<std::unique_ptr<PendingCollective>> pending;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].assign(1000 * (i + 1), static_cast<float>(rank_ + 1) * static_cast<float>(i + 1));
    pending.push_back(comm_->start_all_reduce(
        "test", values[i].data(), static_cast<std::int64_t>(values[i].size()), *stream_));
  }
  pending.front()->test();
  for (const auto& collective : pending) collective->wait(*stream_);
  const float ranks_sum = static_cast<float>(size_ * (size_ + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const float value : values[i]) ASSERT_EQ(value, ranks_sum * static_cast<float>(i + 1));
  }
}

// Weights stay equal on replicas only if the sums are the same bits everywhere.
TEST_F(CommunicatorTest, AllReduceGivesTheSameBitsOnEveryRank) {
  std::vector<float> values(100'003);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = 1.f / static_cast<float>(1 + i * 7 + static_cast<std::size_t>(rank_) * 13);
  }
  comm_->start_all_reduce("test", values.data(), static_cast<std::int64_t>(values.size()), *stream_)
      ->wait(*stream_);
  std::vector<float> all(values.size() * static_cast<std::size_t>(size_));
  comm_->all_gather("test", values.data(), all.data(), static_cast<std::int64_t>(values.size()),
                    DType::f32, *stream_);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], values[i % values.size()]);
}

// So that replicas on several hosts round as those of one host do, and as one rank with all images.
TEST_F(CommunicatorTest, AllReduceAddsPairwiseInTheOrderOfRanks) {
  const auto value = [](int rank, std::size_t i) {
    return 1.f / static_cast<float>(1 + i * 7 + static_cast<std::size_t>(rank) * 13);
  };
  for (const std::size_t length : {1U, 3U, 5'003U, 40'001U}) {
    std::vector<float> values(length);
    for (std::size_t i = 0; i < length; ++i) values[i] = value(rank_, i);
    comm_->start_all_reduce("test", values.data(), static_cast<std::int64_t>(length), *stream_)
        ->wait(*stream_);
    for (std::size_t i = 0; i < length; ++i) {
      float sum = value(0, i);
      if (size_ == 2) sum += value(1, i);
      if (size_ == 4) sum = (value(0, i) + value(1, i)) + (value(2, i) + value(3, i));
      ASSERT_EQ(values[i], sum) << "element " << i << " of " << length;
    }
  }
}

// Ranks may wait in different orders, and make other collectives meanwhile.
TEST_F(CommunicatorTest, AllReducesMayBeWaitedForInAnyOrder) {
  std::vector<std::vector<float>> values(6);
  std::vector<std::unique_ptr<PendingCollective>> pending;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].assign(70'000 + i, static_cast<float>(rank_ + 1) * static_cast<float>(i + 1));
    pending.push_back(comm_->start_all_reduce(
        "test", values[i].data(), static_cast<std::int64_t>(values[i].size()), *stream_));
  }
  std::array<double, 1> ranks{1};
  comm_->sum("test", ranks);
  EXPECT_EQ(ranks[0], size_);
  if (rank_ % 2 == 1) std::ranges::reverse(pending);
  for (const auto& collective : pending) collective->wait(*stream_);
  const float ranks_sum = static_cast<float>(size_ * (size_ + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (const float value : values[i]) ASSERT_EQ(value, ranks_sum * static_cast<float>(i + 1));
  }
}

TEST_F(CommunicatorTest, GatherTakesPartsOfDifferentLength) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(size_));
  std::iota(counts.begin(), counts.end(), 1);
  const std::vector<float> part(static_cast<std::size_t>(rank_ + 1), static_cast<float>(rank_));
  std::vector<float> all(
      static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})));
  comm_->gather("test", part, counts, rank_ == 0 ? all.data() : nullptr);
  if (rank_ != 0) return;
  std::size_t place = 0;
  for (int r = 0; r < size_; ++r) {
    for (int i = 0; i <= r; ++i) EXPECT_EQ(all[place++], static_cast<float>(r));
  }
}

TEST_F(CommunicatorTest, SumsMaximaAndBroadcast) {
  std::array<double, 2> values{static_cast<double>(rank_), 1};
  comm_->sum("test", values);
  EXPECT_EQ(values[0], size_ * (size_ - 1) / 2);
  EXPECT_EQ(values[1], size_);
  values = {static_cast<double>(rank_), -static_cast<double>(rank_)};
  comm_->maximum("test", values);
  EXPECT_EQ(values[0], size_ - 1);
  EXPECT_EQ(values[1], 0);
  int number = rank_ == size_ - 1 ? 42 : 0;
  comm_->broadcast("test", &number, sizeof number, size_ - 1);
  EXPECT_EQ(number, 42);
}

TEST_F(CommunicatorTest, CountsPayloadByName) {
  const std::vector<float> part(10);
  std::vector<float> all(10 * static_cast<std::size_t>(size_));
  comm_->all_gather("a", part.data(), all.data(), 10, DType::f32, *stream_);
  comm_->all_gather("a", part.data(), all.data(), 10, DType::f32, *stream_);
  comm_->start_all_reduce("c", all.data(), 7, *stream_)->wait(*stream_);
  EXPECT_EQ(comm_->traffic().at("a").calls, 2);
  EXPECT_EQ(comm_->traffic().at("a").payload_bytes, 80);
  EXPECT_EQ(comm_->traffic().at("c").payload_bytes, 28);
  EXPECT_EQ(comm_->payload_bytes(), 108);
}

TEST_F(CommunicatorTest, SplitGroupsRanksByColour) {
  const auto half = test_world().split(rank_ % 2);
  EXPECT_EQ(half->size(), (size_ + (rank_ % 2 == 0 ? 1 : 0)) / 2);
  EXPECT_EQ(half->rank(), rank_ / 2);
}

}  // namespace
}  // namespace convoy
