// The reader: the same bytes in the same order with any number of threads, errors that surface, and
// an end that never hangs.
#include "io/read/reader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/files/hdf5.h"
#include "io/files/temporary_folder.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

constexpr std::int64_t crop = 24;
constexpr std::int64_t places = 6;

// Sample (7 b + i) mod 20 at place i of batch b; every third place is padding in odd batches.
// Batches from `broken` on throw.
class SimplePlan : public BatchPlan {
 public:
  explicit SimplePlan(std::int64_t count, std::int64_t broken = -1)
      : count_(count), broken_(broken) {}
  [[nodiscard]] std::int64_t batches() const override { return count_; }
  void fill(std::int64_t batch, std::span<CropRequest> out) const override {
    ++fills;
    if (broken_ >= 0 && batch >= broken_) fail(ExitCode::bad_data, "batch {} is broken", batch);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      out[i] = {};
      if (batch % 2 == 1 && i % 3 == 2) continue;
      out[i].sample = (7 * batch + place) % 20;
      out[i].record.top = static_cast<std::int32_t>((batch + place) % 9);
      out[i].record.left = static_cast<std::int32_t>(place);
    }
  }
  mutable std::atomic<int> fills = 0;

 private:
  std::int64_t count_;
  std::int64_t broken_;
};

class ReaderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    dataset_ = std::make_unique<Dataset>(small_dataset(folder_->path(), 4, 5, 32));
  }
  static void TearDownTestSuite() {
    dataset_.reset();
    folder_.reset();
  }
  static const Dataset& dataset() { return *dataset_; }
  static ReaderOptions options(int threads, int ahead = 3) {
    return {.images = places, .crop = crop, .threads = threads, .ahead = ahead};
  }

 private:
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<Dataset> dataset_;
};

void expect_batch(const Dataset& dataset, const BatchPlan& plan, const Batch& batch) {
  std::vector<CropRequest> requests(places);
  plan.fill(batch.index, requests);
  ASSERT_EQ(batch.records.size(), requests.size());
  std::vector<std::uint8_t> expected(crop * crop * 3);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    std::fill(expected.begin(), expected.end(), std::uint8_t{0});
    std::int32_t label = -1;
    const CropRecord& record = requests[i].record;
    if (requests[i].sample >= 0) {
      dataset.read_crop(requests[i].sample, record.top, record.left, crop, expected.data());
      label = dataset.label(requests[i].sample);
    }
    EXPECT_EQ(batch.labels[i], label);
    EXPECT_EQ(batch.records[i].top, record.top);
    EXPECT_EQ(batch.records[i].left, record.left);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), batch.crops + i * expected.size()))
        << "batch " << batch.index << ", place " << i;
  }
}

TEST_F(ReaderTest, AnyNumberOfThreadsDeliversTheSameBytesInOrder) {
  for (const int threads : {1, 2, 4, 9}) {
    for (const int ahead : {2, 3, 8}) {
      const SimplePlan plan(50);
      Reader reader(dataset(), plan, options(threads, ahead));
      for (std::int64_t b = 0; b < 50; ++b) {
        const Batch batch = reader.next();
        ASSERT_EQ(batch.index, b);
        expect_batch(dataset(), plan, batch);
      }
    }
  }
}

TEST_F(ReaderTest, ABatchStaysValidWhileOthersAreReadAhead) {
  const SimplePlan plan(20);
  Reader reader(dataset(), plan, options(4, 2));
  for (std::int64_t b = 0; b < 20; ++b) {
    const Batch batch = reader.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    expect_batch(dataset(), plan, batch);
  }
}

TEST_F(ReaderTest, ReadsAheadAsFarAsTheRingGoesAndNoFurther) {
  const SimplePlan plan(100);
  Reader reader(dataset(), plan, options(3, 4));
  const auto wait_for_fills = [&](int count) {
    for (int i = 0; i < 2000 && plan.fills < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return plan.fills.load();
  };
  EXPECT_EQ(wait_for_fills(4), 4);
  (void)reader.next();  // the caller holds batch 0 until it asks for the next one
  EXPECT_EQ(wait_for_fills(4), 4);
  (void)reader.next();
  EXPECT_EQ(wait_for_fills(5), 5);
}

TEST_F(ReaderTest, WhatThePlanThrowsSurfacesAfterTheBatchesBefore) {
  for (const int threads : {1, 4}) {
    for (const std::int64_t broken : {0, 1, 7}) {
      const SimplePlan plan(20, broken);
      Reader reader(dataset(), plan, options(threads));
      const SimplePlan whole(20);
      for (std::int64_t b = 0; b < broken; ++b) expect_batch(dataset(), whole, reader.next());
      for (int again = 0; again < 2; ++again) {
        try {
          (void)reader.next();
          FAIL() << "no error";
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ExitCode::bad_data);
          EXPECT_EQ(error.what(), "batch " + std::to_string(broken) + " is broken");
        }
      }
    }
  }
}

TEST_F(ReaderTest, ADamagedImageSurfaces) {
  const TemporaryFolder folder;
  const auto packed = small_dataset(folder.path(), 4, 5, 32);
  const Dataset damaged(packed);
  const ImageSource source = damaged.source(9);
  const auto shard = packed / std::filesystem::path(source.shard).filename();
  const auto offset = hdf5::File::open(shard, ExitCode::bad_data).layout("/images").offset.value() +
                      source.row * 32 * 32 * 3 + 100;
  {
    std::fstream file(shard, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const int byte = file.get();
    file.seekp(offset);
    file.put(static_cast<char>(byte ^ 1));
  }
  const SimplePlan plan(20);
  Reader reader(damaged, plan, options(2));
  try {
    for (int b = 0; b < 20; ++b) (void)reader.next();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_data);
    EXPECT_THAT(error.what(), testing::HasSubstr(shard.filename().string()));
  }
}

TEST_F(ReaderTest, EndsPromptlyAtAnyTime) {
  for (int run = 0; run < 300; ++run) {
    const SimplePlan plan(30, run % 5 == 0 ? 4 : -1);
    Reader reader(dataset(), plan, options(1 + run % 4, 2 + run % 3));
    if (run % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(run));
    for (int b = 0; b < run % 4; ++b) (void)reader.next();
  }
}

TEST_F(ReaderTest, AnEmptyPlanAndTheEndOfThePlan) {
  const SimplePlan none(0);
  Reader empty(dataset(), none, options(2));
  EXPECT_THROW((void)empty.next(), Error);
  const SimplePlan one(1);
  Reader reader(dataset(), one, options(2));
  EXPECT_EQ(reader.next().index, 0);
  EXPECT_THROW((void)reader.next(), Error);
}

TEST_F(ReaderTest, RefusesOptionsThatCannotWork) {
  const SimplePlan plan(1);
  const auto refused = [&](const ReaderOptions& wrong) {
    EXPECT_THROW(Reader(dataset(), plan, wrong), Error);
  };
  refused({.images = 0, .crop = crop});
  refused({.images = places, .crop = 0});
  refused({.images = places, .crop = crop, .threads = 0});
  refused({.images = places, .crop = crop, .ahead = 1});
}

// Readers that share a ring, as processes would, in memory of this one.
class SharedRingTest : public ReaderTest {
 protected:
  static constexpr int ahead = 3;

  explicit SharedRingTest(std::size_t readers = 2) : states_(readers), ring_(ahead) {
    for (Bytes& state : states_) state.resize(RingShare::state_bytes);
    for (Bytes& slot : ring_) slot.resize(static_cast<std::size_t>(places * crop * crop * 3));
  }

  // Reader `index`, which gives up after a quarter of a second.
  ReaderOptions share(int index, int threads = 2) {
    ReaderOptions shared = options(threads, ahead);
    RingShare ring;
    ring.index = index;
    for (Bytes& state : states_) ring.states.push_back(state.data());
    ring.waited = [](int reader, double seconds) {
      if (seconds > 0.25) fail(ExitCode::rank_failed, "reader {} is late", reader);
    };
    shared.share = ring;
    shared.allocate = [this, slot = 0](std::size_t bytes) mutable -> Buffer {
      return {ring_[static_cast<std::size_t>(slot++)].data(), bytes, [](void*) {}};
    };
    return shared;
  }

 private:
  // Aligned as the counters in them want it.
  struct Bytes {
    void resize(std::size_t bytes) { words.assign(bytes / sizeof(std::uint64_t) + 1, 0); }
    void* data() { return words.data(); }
    std::vector<std::uint64_t> words;
  };
  std::vector<Bytes> states_;
  std::vector<Bytes> ring_;
};

class OfThreeTest : public SharedRingTest {
 protected:
  OfThreeTest() : SharedRingTest(3) {}
};

TEST_F(OfThreeTest, EachSeesWholeBatches) {
  std::vector<std::jthread> ranks;
  for (int index = 0; index < 3; ++index) {
    ranks.emplace_back([&, index] {
      const SimplePlan plan(60);
      Reader reader(dataset(), plan, share(index, 1 + index));
      for (std::int64_t b = 0; b < 60; ++b) {
        const Batch batch = reader.next();
        if ((b + index) % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        expect_batch(dataset(), plan, batch);
      }
    });
  }
}

TEST_F(SharedRingTest, TheFailureOfOneIsTheFailureOfAll) {
  const TemporaryFolder folder;
  const auto packed = small_dataset(folder.path(), 4, 5, 32);
  const Dataset cut_short(packed, Verify::never);
  std::filesystem::resize_file(packed / "shard-00000.h5", 100);
  const SimplePlan plan(20);
  const auto message_of = [&](const Dataset& data, int index) {
    try {
      Reader reader(data, plan, share(index));
      for (int b = 0; b < 20; ++b) (void)reader.next();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  std::string other;
  std::jthread second([&] { other = message_of(cut_short, 1); });
  const std::string here = message_of(dataset(), 0);  // whose own images are whole
  second.join();
  EXPECT_THAT(here, testing::HasSubstr(packed.string()));
  EXPECT_EQ(here, other);
}

TEST_F(SharedRingTest, OneThatNeverReadsIsNamed) {
  const SimplePlan plan(20);
  Reader reader(dataset(), plan, share(0));
  expect_error(ExitCode::rank_failed, {"reader 1 is late"}, [&] { (void)reader.next(); });
}

TEST_F(SharedRingTest, OneThatKeepsItsBatchIsNamed) {
  const SimplePlan plan(20);
  Reader slow(dataset(), plan, share(1));
  Reader reader(dataset(), plan, share(0));
  (void)slow.next();  // and holds batch 0 for ever
  for (int b = 0; b < ahead; ++b) expect_batch(dataset(), plan, reader.next());
  expect_error(ExitCode::rank_failed, {"reader 1 is late"}, [&] { (void)reader.next(); });
}

TEST_F(SharedRingTest, FewerPlacesThanReaders) {
  std::vector<std::jthread> ranks;
  for (int index = 0; index < 2; ++index) {
    ranks.emplace_back([&, index] {
      const SimplePlan plan(9);
      ReaderOptions one = share(index);
      one.images = 1;
      Reader reader(dataset(), plan, one);
      for (std::int64_t b = 0; b < 9; ++b) {
        const Batch batch = reader.next();
        EXPECT_EQ(batch.labels[0], dataset().label(7 * b % 20));
      }
    });
  }
}

}  // namespace
}  // namespace convoy
