// Text that a POSIX shell reads back as it was: the only way by which values get into a script or
// into a command line that ssh hands to a shell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace convoy {

// One word. Left bare where no character means anything to a shell, else in single quotes.
[[nodiscard]] std::string shell_quoted(std::string_view word);

// Words separated by blanks.
[[nodiscard]] std::string shell_quoted(const std::vector<std::string>& words);

}  // namespace convoy
