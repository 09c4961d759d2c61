// Which rank answers for which rows of each parameter, where several hold them: the first. So
// replicas of a whole net leave all to rank 0.
#pragma once

#include <vector>

#include "core/net/network.h"
#include "dist/comm/communicator.h"

namespace convoy {

struct OwnedRows {
  int rank = 0;
  Range rows;
};

// [parameter of the network][part, in the order of rows]: the same on every rank, every row once.
// Collective.
[[nodiscard]] std::vector<std::vector<OwnedRows>> row_owners(Communicator& everyone,
                                                             const Network& network);

}  // namespace convoy
