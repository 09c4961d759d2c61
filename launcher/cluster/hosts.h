// The hosts of a job and how many ranks each takes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

struct Host {
  std::string name;
  std::int64_t ranks = 0;  // 0: not said

  bool operator==(const Host&) const = default;
};

// "c1,c2:2". Throws Error(usage) for what is no list of hosts, and for a host that stands there
// twice.
[[nodiscard]] std::vector<Host> parse_host_list(std::string_view text);
// A host a line, "c1", "c1:2" or "c1 slots=2"; '#' starts a comment. `name` stands in messages.
[[nodiscard]] std::vector<Host> parse_host_file(std::string_view text, const std::string& name);

// Settles how many ranks each host takes. A host that does not say takes `per_host`, or an even
// share of what is left of `ranks`, or one; `ranks` 0 fills all hosts. Hosts that get no rank are
// left out. Throws Error(usage) where the hosts have fewer places than there are ranks, or where a
// host's share would be none.
[[nodiscard]] std::vector<Host> place_ranks(std::vector<Host> hosts, std::int64_t ranks,
                                            std::int64_t per_host);

[[nodiscard]] std::int64_t total_ranks(const std::vector<Host>& hosts);

}  // namespace convoy
