// Turns whatever a command throws into an exit code and one sentence: the launcher's only catch.
#pragma once

#include <functional>
#include <string>

namespace convoy {

// For exceptions that no Error explains: a fault of Convoy itself.
constexpr int kInternalError = 1;

struct Failure {
  int code = 0;  // 0: nothing failed
  std::string sentence;
};

// Runs `work`. Error gives its own code, a failed allocation or file operation ExitCode::resource,
// any other exception kInternalError.
[[nodiscard]] Failure guard(const std::function<void()>& work);

}  // namespace convoy
