// The batch of the coming step, on its way from the reader to the device while a step is under way.
#pragma once

#include <chrono>
#include <exception>

#include "dist/step/input_feed.h"
#include "io/read/reader.h"

namespace convoy {

class NextBatch {
 public:
  explicit NextBatch(InputFeed& feed) : feed_(feed) {}

  // Takes the batch, if it comes in time, and starts its way to the device. One that cannot be read
  // is kept for its own step: the one before it counts.
  void fetch(Reader& reader, std::chrono::milliseconds patience);
  // The step has begun. `expected`: another one follows.
  void used(bool expected) { there_ = !expected; }

  // Also where none is expected, or it cannot be read.
  [[nodiscard]] bool there() const { return there_; }
  [[nodiscard]] bool unreadable() const { return error_ != nullptr; }
  // Throws why it cannot be read; returns where it can.
  void rethrow() const;
  // Waited for it so far, and from now on again.
  [[nodiscard]] double waited_ms() const { return waited_ms_; }
  double take_waited_ms();

 private:
  InputFeed& feed_;
  bool there_ = false;
  std::exception_ptr error_;
  double waited_ms_ = 0;
};

}  // namespace convoy
