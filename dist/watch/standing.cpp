// What is said of a rank's place and of a collective.
#include "dist/watch/standing.h"

#include <fmt/format.h>

namespace convoy {

std::string place_text(Phase phase, const std::string& layer) {
  switch (phase) {
    case Phase::starting:
      return "start of the run";
    case Phase::forward:
      return layer.empty() ? "forward" : layer + " forward";
    case Phase::backward:
      return layer.empty() ? "backward" : layer + " backward";
    case Phase::update:
      return "update";
    case Phase::reading:
      return "reading the next batch";
    case Phase::finishing:
      return "end of the step";
    case Phase::between:
      return "between steps";
    case Phase::evaluation:
      return layer.empty() ? "evaluation" : layer + " in evaluation";
  }
  return "an unknown place";
}

std::string at_text(const Standing& standing) {
  return standing.step == 0 ? standing.place
                            : fmt::format("step {}, {}", standing.step, standing.place);
}

std::string text_of(const AwaitedCollective& collective) {
  return fmt::format("collective {} of {}, '{}' of {} bytes", collective.number,
                     collective.ranks.empty() ? "its group" : collective.ranks, collective.name,
                     collective.bytes);
}

std::string ranks_text(const std::vector<int>& ranks) {
  constexpr std::size_t kMost = 4;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  const std::size_t shown = ranks.size() > kMost ? kMost - 1 : ranks.size();
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  if (shown < ranks.size()) text += fmt::format(" and {} more", ranks.size() - shown);
  return text;
}

}  // namespace convoy
