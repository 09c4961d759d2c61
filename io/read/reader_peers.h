// What readers that share a ring tell each other: how far each is, and what made one fail.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "core/error.h"
#include "io/read/reader.h"

namespace convoy {

// The view of one reader; the others have theirs, over the same memory. Without a share it is
// alone. Thread-safe, but that each tell_*() is called by one thread at a time.
class ReaderPeers {
 public:
  explicit ReaderPeers(const std::optional<RingShare>& share);

  [[nodiscard]] int count() const { return static_cast<int>(states_.size()); }
  [[nodiscard]] bool alone() const { return states_.empty(); }
  // This reader's places of a batch of `images`.
  [[nodiscard]] std::int64_t first_place(std::int64_t images) const;
  [[nodiscard]] std::int64_t end_place(std::int64_t images) const;

  // Batches [0, released) are not read any more by this rank; its part of batches [0, complete) is
  // there; its batches from `batch` on fail with this code and sentence.
  void tell_released(std::int64_t released);
  void tell_complete(std::int64_t complete);
  void tell_failed(std::int64_t batch, ExitCode code, const std::string& sentence);

  // Of the other readers; far beyond any batch where there are none.
  [[nodiscard]] std::int64_t released() const;
  // One that has not completed its part of the batch, or has not released the one given; -1: none.
  [[nodiscard]] int without(std::int64_t batch) const;
  [[nodiscard]] int holding(std::int64_t batch) const;
  // Another reader has failed in this batch or one before; rethrow() throws what it said.
  [[nodiscard]] bool failed(std::int64_t batch) const;
  // Throws what another reader said of this batch or one before.
  void rethrow(std::int64_t batch) const;
  // See RingShare::waited.
  void waited(int reader, double seconds) const { share_->waited(reader, seconds); }

 private:
  struct State;
  [[nodiscard]] State& own() const;

  std::optional<RingShare> share_;
  std::vector<State*> states_;
};

}  // namespace convoy
