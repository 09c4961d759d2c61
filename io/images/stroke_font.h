// Letters as strokes, so that pictures can carry text of any size without a font on the machine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace convoy {

// Units: a capital is 6 high, from y = 0 down to the baseline at y = 6; descenders reach 8.
struct Stroke {
  double x0 = 0;
  double y0 = 0;
  double x1 = 0;
  double y1 = 0;
};

inline constexpr double capital_height = 6;

// The strokes of UTF-8 text in one line, from x = 0. What is no printable ASCII is a box.
[[nodiscard]] std::vector<Stroke> strokes_of(std::string_view text);
// The distance from the text's begin to where text after it would begin.
[[nodiscard]] double advance_of(std::string_view text);

}  // namespace convoy
