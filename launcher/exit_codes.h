// What each exit code tells, for the texts that list them.
#pragma once

#include <array>
#include <string_view>

namespace convoy {

struct ExitMeaning {
  int code;
  std::string_view meaning;
};
inline constexpr std::array<ExitMeaning, 9> kExitMeanings{{
    {0, "done"},
    {1, "internal error"},
    {2, "usage or configuration"},
    {3, "bad data"},
    {4, "bad or missing checkpoint"},
    {5, "a rank or the network failed"},
    {6, "diverged"},
    {7, "out of memory, disk or another resource"},
    {75, "stopped on request after a checkpoint"},
}};

}  // namespace convoy
