// How often threads can do a piece of work, and how fast this machine copies memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace convoy {

using Work = std::function<void(std::int64_t)>;

// How often a second so many threads together do their work. Each makes its own by make_work(), and
// is given the numbers 0, 1, 2, ... in turn with the others. Measures for `time`; rethrows what
// work throws.
[[nodiscard]] double rate(int threads, const std::function<Work()>& make_work,
                          std::chrono::duration<double> time = std::chrono::milliseconds(500));

// Copies from memory to memory, far more than caches hold.
class PlainCopy {
 public:
  explicit PlainCopy(int threads);

  // Bytes a second by all threads together, each byte counted once.
  [[nodiscard]] double rate_over(std::chrono::duration<double> time);

 private:
  std::vector<std::vector<std::uint8_t>> from_;
  std::vector<std::vector<std::uint8_t>> to_;
};

}  // namespace convoy
