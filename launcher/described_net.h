// The value of model.net: an embedded net by name, a file, or a description itself.
#pragma once

#include <string>
#include <vector>

namespace convoy {

// Names of configs/nets/NAME.net, which the build embeds.
[[nodiscard]] std::vector<std::string> net_names();

// The description in one line that `value` means: the name of an embedded net, the path of a file,
// or, where it has a ';', itself. Empty for an empty value. Throws Error(usage) where there is no
// such net or file, and as parse_net() does.
[[nodiscard]] std::string resolve_net(const std::string& value);

}  // namespace convoy
