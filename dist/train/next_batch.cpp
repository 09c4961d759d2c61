// Waits with a clock.
#include "dist/train/next_batch.h"

#include <utility>

namespace convoy {

void NextBatch::fetch(Reader& reader, std::chrono::milliseconds patience) {
  if (there_) return;
  const auto start = std::chrono::steady_clock::now();
  try {
    if (reader.ready_within(patience)) {
      feed_.release();
      feed_.upload(reader.next());
      there_ = true;
    }
  } catch (...) {
    error_ = std::current_exception();
    there_ = true;
  }
  const std::chrono::duration<double, std::milli> waited = std::chrono::steady_clock::now() - start;
  waited_ms_ += waited.count();
}

void NextBatch::rethrow() const {
  if (error_) std::rethrow_exception(error_);
}

double NextBatch::take_waited_ms() { return std::exchange(waited_ms_, 0); }

}  // namespace convoy
