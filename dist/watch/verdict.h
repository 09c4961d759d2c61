// Who holds up a collective, told from where the ranks stand.
#pragma once

#include <string>
#include <vector>

#include "dist/watch/standing.h"

namespace convoy {

// What is known of a rank.
struct KnownRank {
  bool heard = false;   // since the job began
  bool silent = false;  // now
  Standing last;        // heard of it; its host is known from the beginning
};

// Why the collective that rank `asking` waits in does not end: "rank 1 on node2 does not answer
// (last heard of at step 7, conv3 backward); rank 3 on node4 has not come to it (step 7, conv2
// forward)". Names a few ranks of each kind and counts the others. `ranks` are all of the job.
[[nodiscard]] std::string why_late(const std::vector<KnownRank>& ranks, int asking);

}  // namespace convoy
