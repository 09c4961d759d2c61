// Compares how far the ranks of a group are.
#include "dist/watch/verdict.h"

#include <algorithm>

#include <fmt/format.h>

namespace convoy {
namespace {

constexpr std::size_t kMostNamed = 6;

const GroupProgress* progress_in(const Standing& standing, std::uint64_t group) {
  const auto found = std::ranges::find(standing.groups, group, &GroupProgress::group);
  return found == standing.groups.end() ? nullptr : &*found;
}

std::string name_of(const Standing& standing) {
  return fmt::format("rank {} on {}", standing.rank, standing.host);
}

std::string doing(const Standing& standing) {
  if (standing.waits_in.sequence == 0) return at_text(standing);
  return fmt::format("{}, where it waits in {}", at_text(standing), text_of(standing.waits_in));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < std::min(parts.size(), kMostNamed); ++i)
    text += (i == 0 ? "" : "; ") + parts[i];
  if (parts.size() > kMostNamed) text += fmt::format("; and {} more", parts.size() - kMostNamed);
  return text;
}

}  // namespace

std::string why_late(const std::vector<KnownRank>& ranks, int asking) {
  const AwaitedCollective& awaited = ranks[static_cast<std::size_t>(asking)].last.waits_in;
  std::vector<std::string> silent;
  std::vector<std::string> behind;
  for (const KnownRank& rank : ranks) {
    const Standing& last = rank.last;
    if (last.rank == asking) continue;
    if (rank.silent) {
      silent.push_back(fmt::format(
          "{} does not answer ({})", name_of(last),
          rank.heard ? "last heard of at " + at_text(last) : "nothing was ever heard of it"));
      continue;
    }
    const GroupProgress* progress = progress_in(last, awaited.group);
    if (progress == nullptr || progress->left >= awaited.number) continue;
    if (progress->entered < awaited.number) {
      behind.push_back(fmt::format("{} has not come to it ({})", name_of(last), doing(last)));
    } else if (last.waits_in.sequence == 0) {
      behind.push_back(fmt::format("{} came to it, but does not move it along ({})", name_of(last),
                                   doing(last)));
    }
  }
  if (silent.empty() && behind.empty()) return "all of them came to it, but it did not end";
  const std::string gap = silent.empty() || behind.empty() ? "" : "; ";
  return joined(silent) + gap + joined(behind);
}

}  // namespace convoy
