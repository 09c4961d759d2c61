// Runs a command on the ranks of an MPI job, so that a failure anywhere ends the job everywhere.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "launcher/command.h"

namespace convoy {

// Starts MPI, parses, checks that all ranks were given the same, runs, and ends MPI. Returns the
// process's exit code. What all ranks report alike is printed by rank 0 only; a failure of some
// ranks is printed by them, with rank and host, and ends the others.
[[nodiscard]] int run_parallel(Command& command, const std::vector<std::string>& arguments,
                               int argc, char** argv, std::ostream& out, std::ostream& err);

}  // namespace convoy
