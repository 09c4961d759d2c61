// Asks every host, through the agent, what stands there.
#pragma once

#include <string>
#include <vector>

#include "launcher/cluster/host_check.h"
#include "launcher/cluster/hosts.h"

namespace convoy {

// All hosts at the same time, in bounded time; the answers stand in the order of the hosts. A host
// that is this one is asked without the agent. Throws Error(rank_failed) for a host that is not
// reached, Error(usage) where the agent is missing.
[[nodiscard]] std::vector<HostAnswers> ask_hosts(const std::vector<Host>& hosts,
                                                 const std::string& agent,
                                                 const HostQuestions& questions);

// The digest that hosts answer with for this file.
[[nodiscard]] std::string digest_of(const std::string& file);

// True for localhost and this host's own names.
[[nodiscard]] bool is_here(const std::string& host);

}  // namespace convoy
