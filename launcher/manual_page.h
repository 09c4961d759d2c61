// Manual pages in the man(7) language, made from the commands' option tables.
#pragma once

#include <string>

#include "launcher/commands.h"

namespace convoy {

// convoy(1): the commands, and what exit codes mean.
[[nodiscard]] std::string manual_page(const Commands& commands);

// convoy-NAME(1): the command's help, with every option.
[[nodiscard]] std::string manual_page(const Command& command);

}  // namespace convoy
