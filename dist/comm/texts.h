// Texts between ranks, of any length.
#pragma once

#include <string>
#include <vector>

#include "dist/comm/communicator.h"

namespace convoy {

// Rank `root`'s text, on every rank. Collective.
[[nodiscard]] std::string broadcast_text(Communicator& group, const std::string& name,
                                         std::string text, int root);
// Every rank's text in the order of ranks, on every rank. Collective.
[[nodiscard]] std::vector<std::string> gather_texts(Communicator& group, const std::string& name,
                                                    const std::string& mine);

}  // namespace convoy
