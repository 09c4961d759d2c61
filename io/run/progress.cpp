// Prints progress: a line rewritten in place on a terminal, plain lines in a log.
#include "io/run/progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace convoy {
namespace {

constexpr std::chrono::milliseconds terminal_pause{200};
constexpr std::chrono::milliseconds log_pause{10'000};

// "7 s", "3 min 20 s", "2 h 05 min": two units are enough for a wait.
std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

Progress::Progress(std::string what, std::string unit, std::int64_t total, bool quiet)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_print_(terminal_ ? start_ : start_ + log_pause) {}

Progress::~Progress() {
  if (!quiet_ && (updated_ || terminal_)) print(true);
}

void Progress::update(std::int64_t done, const std::string& note) {
  if (quiet_) return;
  done_ = done;
  note_ = note;
  updated_ = true;
  if (Clock::now() >= next_print_) print(false);
}

std::string Progress::text() const {
  std::string text = total_ > 0 ? fmt::format("{}: {} of {} {}", what_, done_, total_, unit_)
                                : fmt::format("{}: {} {}", what_, done_, unit_);
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  if (done_ > 0 && seconds > 0) {
    const double rate = static_cast<double>(done_) / seconds;
    text += fmt::format(", {:.{}f} {}/s", rate, rate < 10 ? 2 : 0, unit_);
    if (total_ > done_) {
      text += fmt::format(", {} left", duration(static_cast<double>(total_ - done_) / rate));
    }
  }
  if (!note_.empty()) text += ", " + note_;
  return text;
}

void Progress::print(bool last) {
  std::string line = text();
  if (terminal_) {
    // A line longer than the terminal would wrap, and the next return would rewrite only its end.
    line.resize(std::min(line.size(), terminal_columns() - 1));
    line = fmt::format("\r{}\x1b[K{}", line, last ? "\n" : "");
  } else {
    line += '\n';
  }
  std::fputs(line.c_str(), stderr);  // a closed standard error must not end the work: no throw here
  std::fflush(stderr);
  updated_ = false;
  next_print_ = Clock::now() + (terminal_ ? terminal_pause : log_pause);
}

}  // namespace convoy
