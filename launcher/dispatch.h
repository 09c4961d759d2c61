// `convoy COMMAND ...`: finds the command, prints help, and returns the process's exit code.
#pragma once

#include <iosfwd>

namespace convoy {

// Results go to `out`, one sentence about a failure to `err`. Throws nothing.
[[nodiscard]] int dispatch(int argc, char** argv, std::ostream& out, std::ostream& err);

}  // namespace convoy
