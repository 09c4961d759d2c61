// Works done in the background: all of them, in their order, within a bound of memory, and no error
// unheard.
#include "io/run/write_queue.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace convoy {
namespace {

constexpr std::size_t kPlenty = 1 << 20;

std::string sentence_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    return error.what();
  }
  return "";
}

TEST(WriteQueue, DoesWorksInTheirOrder) {
  std::vector<int> done;
  WriteQueue queue(kPlenty);
  for (int i = 0; i < 100; ++i) queue.put(1, [&done, i] { done.push_back(i); });
  queue.settle();
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
}

TEST(WriteQueue, GivesBackWhileAWorkStandsStill) {
  std::promise<void> gate;
  std::atomic<int> done{0};
  WriteQueue queue(kPlenty);
  queue.put(1, [&] { gate.get_future().wait(); });
  for (int i = 0; i < 10; ++i) queue.put(1, [&] { ++done; });
  EXPECT_EQ(done, 0);
  gate.set_value();
  queue.settle();
  EXPECT_EQ(done, 10);
}

TEST(WriteQueue, LetsNoMoreWaitThanItMay) {
  constexpr std::size_t bytes = 10;
  constexpr int most = 4;
  std::atomic<int> given{0};
  int ahead = 0;  // of works that were given when one was done
  WriteQueue queue(bytes * (most - 1));
  for (int i = 0; i < 60; ++i) {
    queue.put(bytes, [&, i] {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      ahead = std::max(ahead, given - i);
    });
    ++given;
  }
  queue.settle();
  EXPECT_LE(ahead, most + 1);  // and the one that is being done
}

TEST(WriteQueue, TakesAWorkThatIsLargerThanAllItsRoom) {
  bool done = false;
  WriteQueue queue(8);
  queue.put(1000, [] {});
  queue.put(1000, [&] { done = true; });
  queue.settle();
  EXPECT_TRUE(done);
}

TEST(WriteQueue, StopsAtAnErrorAndSaysItToEveryCall) {
  std::atomic<int> done{0};
  WriteQueue queue(0);
  queue.put(1, [] { fail(ExitCode::resource, "the disk is full"); });
  EXPECT_EQ(sentence_of([&] { queue.settle(); }), "the disk is full");
  EXPECT_EQ(sentence_of([&] { queue.put(1, [&] { ++done; }); }), "the disk is full");
  EXPECT_EQ(sentence_of([&] { queue.settle(); }), "the disk is full");
  EXPECT_EQ(done, 0);
  EXPECT_EQ(queue.untold(), nullptr);  // it has been told
}

TEST(WriteQueue, WhoWaitsForRoomHearsTheErrorToo) {
  std::promise<void> gate;
  WriteQueue queue(0);
  queue.put(1, [&] {
    gate.get_future().wait();
    fail(ExitCode::resource, "the disk is full");
  });
  const auto rest = [&] {
    for (int i = 0; i < 10; ++i) queue.put(1, [] {});
  };
  auto sentence = std::async(std::launch::async, [&] { return sentence_of(rest); });
  gate.set_value();
  EXPECT_EQ(sentence.get(), "the disk is full");
}

TEST(WriteQueue, KeepsAnErrorThatNobodyHasHeard) {
  std::atomic<int> done{0};
  WriteQueue queue(kPlenty);
  std::promise<void> gate;
  queue.put(1, [&] { gate.get_future().wait(); });
  queue.put(1, [] { fail(ExitCode::resource, "the disk is full"); });
  queue.put(1, [&] { ++done; });
  gate.set_value();
  const std::exception_ptr untold = queue.untold();
  ASSERT_NE(untold, nullptr);
  EXPECT_EQ(sentence_of([&] { std::rethrow_exception(untold); }), "the disk is full");
  EXPECT_EQ(done, 0);
}

TEST(WriteQueue, DoesWhatWasGivenBeforeItEnds) {
  std::atomic<int> done{0};
  {
    WriteQueue queue(kPlenty);
    for (int i = 0; i < 50; ++i) queue.put(1, [&] { ++done; });
  }
  EXPECT_EQ(done, 50);
}

TEST(WriteQueue, SettlesForAnyThread) {
  std::atomic<int> done{0};
  WriteQueue queue(kPlenty);
  for (int i = 0; i < 50; ++i) queue.put(1, [&] { ++done; });
  const auto other = std::async(std::launch::async, [&] {
    queue.settle();
    return done.load();
  });
  queue.put(1, [] {});
  other.wait();
  EXPECT_GE(done, 50);
}

}  // namespace
}  // namespace convoy
