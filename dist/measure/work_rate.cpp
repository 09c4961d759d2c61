// Counts what threads have done when the time is over.
#include "dist/measure/work_rate.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <thread>

namespace convoy {
namespace {

constexpr std::size_t copied = std::size_t{512}
                               << 20;  // by all threads together, before it repeats
constexpr std::size_t piece = 4 << 20;

}  // namespace

double rate(int threads, const std::function<Work()>& make_work,
            std::chrono::duration<double> time) {
  std::atomic<std::int64_t> next = 0;
  std::atomic<bool> stop = false;
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(threads));
  const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> team;
    for (std::exception_ptr& error : errors) {
      team.emplace_back([&] {
        try {
          const Work work = make_work();
          do {
            work(next++);
          } while (!stop);
        } catch (...) {
          error = std::current_exception();
        }
      });
    }
    std::this_thread::sleep_for(time);
    stop = true;
  }
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
  return static_cast<double>(next) / passed.count();
}

PlainCopy::PlainCopy(int threads)
    : from_(static_cast<std::size_t>(threads)), to_(static_cast<std::size_t>(threads)) {
  const std::size_t bytes = std::max<std::size_t>(copied / from_.size(), 8 * piece);
  for (auto* const side : {&from_, &to_})
    for (auto& memory : *side) memory.assign(bytes, 1);
}

double PlainCopy::rate_over(std::chrono::duration<double> time) {
  const std::size_t pieces = from_[0].size() / piece;
  std::atomic<std::size_t> thread = 0;
  const auto copy = [&]() -> Work {
    const std::size_t mine = thread++;
    std::size_t next = 0;
    return [&, mine, next](std::int64_t) mutable {
      std::memcpy(to_[mine].data() + next * piece, from_[mine].data() + next * piece, piece);
      next = (next + 1) % pieces;
    };
  };
  return static_cast<double>(piece) * rate(static_cast<int>(from_.size()), copy, time);
}

}  // namespace convoy
