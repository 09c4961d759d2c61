// Host lists, host files, and the shares of ranks.
#include "launcher/cluster/hosts.h"

#include <algorithm>
#include <sstream>

#include "core/error.h"
#include "launcher/option_table.h"

namespace convoy {
namespace {

constexpr std::int64_t kMostRanks = 1 << 16;

// A name that starts with '-' would be an option of ssh or mpirun.
bool is_host_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.front() != '-' &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

Host parse_host(const std::string& text, const std::string& where) {
  const std::size_t colon = text.find(':');
  Host host{text.substr(0, colon), 0};
  if (!is_host_name(host.name)) {
    fail(ExitCode::usage, "{}'{}' is no host; hosts are names or addresses, such as c1 or c1:2",
         where, text);
  }
  if (colon == std::string::npos) return host;
  if (!parse_value(text.substr(colon + 1), host.ranks) || host.ranks < 1 ||
      host.ranks > kMostRanks) {
    fail(ExitCode::usage, "{}'{}' must have a number of ranks from 1 to {} behind the colon", where,
         text, kMostRanks);
  }
  return host;
}

void add(std::vector<Host>& hosts, const Host& host, const std::string& where) {
  if (std::ranges::any_of(hosts, [&](const Host& h) { return h.name == host.name; })) {
    fail(ExitCode::usage, "{}the host {} is listed twice; write {}:2 for two ranks on it", where,
         host.name, host.name);
  }
  hosts.push_back(host);
}

}  // namespace

std::vector<Host> parse_host_list(std::string_view text) {
  const std::string where = "--cluster.hosts: ";
  std::vector<Host> hosts;
  for (const std::string& part : split(text, ',')) add(hosts, parse_host(part, where), where);
  return hosts;
}

std::vector<Host> parse_host_file(std::string_view text, const std::string& name) {
  std::vector<Host> hosts;
  int number = 0;
  for (std::string line : split(text, '\n')) {
    ++number;
    line.erase(std::min(line.find('#'), line.size()));
    std::istringstream words(line);
    std::string host;
    std::string slots;
    std::string rest;
    if (!(words >> host)) continue;
    const std::string where = fmt::format("{}, line {}: ", name, number);
    if (words >> slots) {
      if (!slots.starts_with("slots=") || host.find(':') != std::string::npos || words >> rest) {
        fail(ExitCode::usage, "{}'{}' is not understood; a line is c1, c1:2 or c1 slots=2", where,
             rest.empty() ? slots : rest);
      }
      host += ':' + slots.substr(slots.find('=') + 1);
    }
    add(hosts, parse_host(host, where), where);
  }
  if (hosts.empty()) fail(ExitCode::usage, "{} lists no host", name);
  return hosts;
}

std::int64_t total_ranks(const std::vector<Host>& hosts) {
  std::int64_t sum = 0;
  for (const Host& host : hosts) sum += host.ranks;
  return sum;
}

std::vector<Host> place_ranks(std::vector<Host> hosts, std::int64_t ranks, std::int64_t per_host) {
  if (per_host > 0) {
    for (Host& host : hosts) {
      if (host.ranks == 0) host.ranks = per_host;
    }
  }
  const std::int64_t open = std::ranges::count(hosts, 0, &Host::ranks);
  const std::int64_t left = ranks == 0 ? open : ranks - total_ranks(hosts);
  if (open > 0 && left < open) {
    fail(ExitCode::usage,
         "{} ranks are too few for {} hosts, each of which takes at least one; leave out hosts or "
         "raise cluster.ranks",
         ranks, hosts.size());
  }
  std::int64_t index = 0;
  for (Host& host : hosts) {
    if (host.ranks != 0) continue;
    host.ranks = left / open + (index < left % open ? 1 : 0);
    ++index;
  }
  const std::int64_t places = total_ranks(hosts);
  if (ranks > places) {
    fail(ExitCode::usage,
         "cluster.ranks is {}, but the hosts take {} ranks together; list more hosts or give them "
         "more ranks (c1:2)",
         ranks, places);
  }
  std::int64_t wanted = ranks == 0 ? places : ranks;
  for (Host& host : hosts) {
    host.ranks = std::min(host.ranks, wanted);
    wanted -= host.ranks;
  }
  std::erase_if(hosts, [](const Host& host) { return host.ranks == 0; });
  return hosts;
}

}  // namespace convoy
