// Reads batches ahead of the training loop: threads fill a ring of batches, the loop takes them in
// order.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/device.h"
#include "io/dataset/dataset.h"
#include "io/read/batch_plan.h"

namespace convoy {

// Valid until the next call of next() or the reader's end.
struct Batch {
  std::int64_t index = 0;                // of the plan
  const std::uint8_t* crops = nullptr;   // uint8 [N, crop, crop, 3] RGB; padding is 0
  const std::int32_t* labels = nullptr;  // [N], -1 for padding
  std::span<const CropRecord> records;   // [N]
};

// Readers of one plan, in several processes of a host, that fill one ring: reader r of n reads the
// places [r N / n, (r+1) N / n) of every batch and sees those of the others.
struct RingShare {
  static constexpr std::size_t state_bytes = 4096;

  int index = 0;  // this reader
  // Of each reader state_bytes, zero before any reader is made, in memory that all readers address;
  // so must be what `allocate` gives: the same on all of them, call by call.
  std::vector<void*> states;
  // Called now and then while next() cannot go on without reader `reader`, for `seconds` by now: to
  // throw where that is too long.
  std::function<void(int reader, double seconds)> waited = [](int, double) {};
};

struct ReaderOptions {
  std::int64_t images = 0;  // N: places of a batch on this rank
  std::int64_t crop = 0;    // H = W
  int threads = 1;          // >= 1
  int ahead = 3;            // batches kept in the ring, >= 2
  // Gives the memory of a batch's crops, zeroed; null: plain memory.
  std::function<Buffer(std::size_t bytes)> allocate = nullptr;
  std::optional<RingShare> share = std::nullopt;
};

class Reader {
 public:
  // Allocates the ring, touches its pages and starts the threads; dataset and plan must outlive the
  // reader. Throws Error(usage) for options out of range, Error(resource) where no thread starts.
  Reader(const Dataset& dataset, const BatchPlan& plan, const ReaderOptions& options);
  ~Reader();  // at any time; waits at most for the images being read
  // The plan's next batch; blocks until it is there. Rethrows what a reader thread threw, or an
  // Error with the same code and sentence where that happened to another reader of the ring, once
  // the batches before the failed one have been given. Throws Error(usage) after plan.batches()
  // calls.
  Batch next();
  // True where next() would not block; waits up to `patience` for that.
  [[nodiscard]] bool ready_within(std::chrono::milliseconds patience);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
