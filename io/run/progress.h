// Progress of long work on standard error: one line rewritten on a terminal, a plain line now and
// then elsewhere. Shows done of total, rate and time left. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace convoy {

class Progress {
 public:
  // total = 0: unknown. What is done and total count from this moment on: work that resumes passes
  // what is left. `quiet` prints nothing (ranks other than 0).
  Progress(std::string what, std::string unit, std::int64_t total, bool quiet = false);
  ~Progress();  // prints the last state and ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Cheap enough for every image: most calls only look at the clock.
  void update(std::int64_t done, const std::string& note = {});

 private:
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] std::string text() const;
  void print(bool last);

  std::string what_;
  std::string unit_;
  std::int64_t total_;
  bool quiet_;
  bool terminal_;
  std::int64_t done_ = 0;
  std::string note_;
  bool updated_ = false;  // since the last line
  Clock::time_point start_;
  Clock::time_point next_print_;
};

}  // namespace convoy
