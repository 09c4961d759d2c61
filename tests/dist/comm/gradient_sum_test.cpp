// Sums of gradients over replicas: shared memory against MPI and against a sum made by hand.
#include "dist/comm/gradient_sum.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dist/test_world.h"

namespace convoy {
namespace {

constexpr std::int64_t kFloats = 10'007;

// What `rank` has at place i in a step; not a number that sums exactly.
float value(int rank, std::int64_t i, int step) {
  return std::sin(static_cast<float>(i + 1) * static_cast<float>(rank + 3) +
                  static_cast<float>(step));
}

// Neighbouring ranks first, then pairs of pairs: the left half has the next power of two.
float pairwise(int first, int ranks, std::int64_t i, int step) {
  if (ranks == 1) return value(first, i, step);
  int left = 1;
  while (2 * left < ranks) left *= 2;
  return pairwise(first, left, i, step) + pairwise(first + left, ranks - left, i, step);
}

class GradientSums : public testing::Test {
 protected:
  GradientSums()
      : group_(test_world().split(0)), device_(test_device()), stream_(device_->make_stream()) {}

  // Buckets of unlike size, one shorter than the ranks are many.
  std::vector<Range> buckets() const { return {{0, 5'000}, {5'000, 5'001}, {5'001, kFloats}}; }

  void fill(float* gradients, int step) {
    for (std::int64_t i = 0; i < kFloats; ++i) gradients[i] = value(group_->rank(), i, step);
  }

  std::unique_ptr<Communicator> group_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
};

TEST_F(GradientSums, InSharedMemoryArePairwiseAndRepeatable) {
  const auto shared = SharedMemory::make(*group_, shared_sum_bytes(kFloats, 3));
  ASSERT_NE(shared, nullptr) << "the ranks of one host could not share memory";
  for (int threads : {1, 2}) {
    // A new sum begins with counters that have not been used.
    const auto memory = SharedMemory::make(*group_, shared_sum_bytes(kFloats, 3));
    const auto sum = make_shared_sum(*group_, *memory, kFloats, buckets(), threads);
    auto* const gradients = static_cast<float*>(memory->part(group_->rank()));
    for (int step = 0; step < 5; ++step) {
      fill(gradients, step);
      for (std::size_t bucket = 0; bucket < 3; ++bucket) {
        sum->start(bucket, *stream_);
        sum->test(0);
      }
      for (std::size_t bucket = 0; bucket < 3; ++bucket) sum->wait(bucket, *stream_);
      for (std::int64_t i = 0; i < kFloats; ++i)
        ASSERT_EQ(gradients[i], pairwise(0, group_->size(), i, step)) << "at " << i;
    }
  }
}

TEST_F(GradientSums, ByTheCommunicatorAgree) {
  std::vector<float> gradients(static_cast<std::size_t>(kFloats));
  const auto sum = make_collective_sum(*group_, gradients.data(), buckets());
  for (int step = 0; step < 2; ++step) {
    fill(gradients.data(), step);
    for (std::size_t bucket = 0; bucket < 3; ++bucket) sum->start(bucket, *stream_);
    for (std::size_t bucket = 0; bucket < 3; ++bucket) {
      sum->wait(bucket, *stream_);
      EXPECT_TRUE(sum->test(bucket));
    }
    for (std::int64_t i = 0; i < kFloats; ++i)
      ASSERT_NEAR(gradients[static_cast<std::size_t>(i)], pairwise(0, group_->size(), i, step),
                  1e-6 * group_->size())
          << "at " << i;
  }
}

TEST_F(GradientSums, SharedMemoryIsSeenByAllRanksAndStartsAsZero) {
  const auto shared = SharedMemory::make(*group_, 100);
  ASSERT_NE(shared, nullptr);
  for (int rank = 0; rank < group_->size(); ++rank)
    EXPECT_EQ(static_cast<unsigned char*>(shared->part(rank))[99], 0);
  group_->barrier("looked");
  static_cast<unsigned char*>(shared->part(group_->rank()))[99] =
      static_cast<unsigned char>(group_->rank() + 1);
  group_->barrier("written");
  for (int rank = 0; rank < group_->size(); ++rank)
    EXPECT_EQ(static_cast<unsigned char*>(shared->part(rank))[99], rank + 1);
}

}  // namespace
}  // namespace convoy
