// Completion for the shell, made from the commands' option tables.
#pragma once

#include <string>

#include "launcher/commands.h"

namespace convoy {

// A script for bash: it completes commands, their options, and values of options that are one of
// a few words; file names stand for other values. It needs nothing but bash 4.4.
[[nodiscard]] std::string bash_completion(const Commands& commands);

}  // namespace convoy
