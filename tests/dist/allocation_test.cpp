// A training step allocates nothing: every operator new of the process is counted, but those of the
// threads that watch.
#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>

#include "dist/step/step_runner.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"

namespace {

std::atomic<long> g_allocations{0};

bool is_watching() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  const std::string_view said = name.data();
  return said == "watchdog" || said == "sentinel";
}

void* counted(std::size_t bytes, std::size_t alignment) {
  if (!is_watching()) ++g_allocations;
  void* memory = nullptr;
  if (posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
// Sanitizers' own would not fit the delete below.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return counted(bytes, alignof(std::max_align_t));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace convoy {
namespace {

// Allocations of three steps, after two that may set things up.
long allocations_of(World& world, const std::string& strategy) {
  JobOptions job = small_job();
  job.device.threads = 2;
  job.dist.strategy = strategy;
  Session session(world, job);
  session.network().initialise(1, session.stream());
  InputFeed feed(session, job.preprocess,
                 std::vector<float>(static_cast<std::size_t>(71 * 71 * 3), 120.0f), 71);
  StepRunner runner(session, job);
  const auto images = static_cast<std::size_t>(session.slice().size());
  const std::vector<std::uint8_t> crops(images * 71 * 71 * 3, 99);
  const std::vector<std::int32_t> labels(images, 3);
  const std::vector<CropRecord> records(images);
  const Batch batch{0, crops.data(), labels.data(), records};
  long before = 0;
  for (std::int64_t step = 0; step < 5; ++step) {
    if (step == 2) before = g_allocations;
    feed.upload(batch);
    runner.begin(feed, true, {step, 0, 1, 0});
    runner.finish();
  }
  return g_allocations - before;
}

TEST(Allocation, NoneInAStepOfOneRank) {
  const auto alone = test_world().part(test_world().rank());
  EXPECT_EQ(allocations_of(*alone, "single"), 0);
}

TEST(Allocation, NoneInAStepOfModelParallelRanks) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy model needs pairs of ranks";
  const auto pair = test_world().part(test_world().rank() / 2);
  EXPECT_EQ(allocations_of(*pair, "model"), 0);
}

TEST(Allocation, NoneInAStepOfReplicasOfPairs) {
  if (test_world().size() % 2 != 0) GTEST_SKIP() << "strategy hybrid needs pairs of ranks";
  EXPECT_EQ(allocations_of(test_world(), "hybrid"), 0);
}

TEST(Allocation, NoneInAStepOfFullyConnectedLayersOverAllRanks) {
  EXPECT_EQ(allocations_of(test_world(), "owt"), 0);
}

TEST(Allocation, NoneInAStepOfReplicasOnOneHost) {
  EXPECT_EQ(allocations_of(test_world(), "data"), 0);
}

}  // namespace
}  // namespace convoy
