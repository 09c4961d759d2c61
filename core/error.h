// The one error type of Convoy and the exit codes that scripts and schedulers rely on.
#pragma once

#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace convoy {

// What the process returns to the shell. Values are part of the interface (README, "Exit codes").
enum class ExitCode : int {
  done = 0,
  usage = 2,           // unknown option, contradictory or out-of-range value
  bad_data = 3,        // image folder, shard or index cannot be used
  bad_checkpoint = 4,  // missing, damaged or foreign checkpoint
  rank_failed = 5,     // a rank or the network failed
  diverged = 6,        // NaN or exploding loss
  resource = 7,        // out of memory, disk or another resource
  stopped = 75,        // stopped on request after a checkpoint; run again to go on
};

// `text` with '?' for control characters but line breaks. What files and options hold may end a
// sentence with a NUL, or speak to the terminal.
[[nodiscard]] std::string printable(std::string text);

// `what()` is one sentence for a person: what is wrong, where, and what would be right.
// The launcher adds rank and host when several ranks run.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& sentence)
      : std::runtime_error(printable(sentence)), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

// Throws an Error whose sentence is made with fmt's format syntax.
template <typename... Args>
[[noreturn]] void fail(ExitCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace convoy
