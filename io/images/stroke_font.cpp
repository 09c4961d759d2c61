// Each glyph is a text of points "XY" joined by strokes; '/' lifts the pen.
#include "io/images/stroke_font.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace convoy {
namespace {

constexpr double kWidth = 0.8;      // of a column of the points below
constexpr double kGap = 2;          // between letters
constexpr double kWordSpace = 2.2;  // of a blank, besides the gap

// From '!' to '~'.
constexpr std::array<std::string_view, 94> kGlyphs{
    "00 04/06 06",                                      // !
    "00 02/20 22",                                      // "
    "10 06/40 36/02 42/04 44",                          // #
    "41 30 10 01 02 13 33 44 45 36 16 05/20 26",        // $
    "06 40/00 10 11 01 00/35 45 46 36 35",              // %
    "46 11 10 20 21 04 05 16 26 44",                    // &
    "00 02",                                            // '
    "20 11 02 05 16 27",                                // (
    "00 11 22 25 16 07",                                // )
    "20 24/01 43/41 03",                                // *
    "04 44/22 26",                                      // +
    "16 07",                                            // ,
    "04 24",                                            // -
    "06 06",                                            // .
    "07 40",                                            // /
    "10 30 41 45 36 16 05 01 10",                       // 0
    "11 20 26/16 36",                                   // 1
    "01 10 30 41 42 06 46",                             // 2
    "01 10 30 41 42 33 23/33 44 45 36 16 05",           // 3
    "36 30 04 44",                                      // 4
    "40 00 02 32 43 45 36 16 05",                       // 5
    "30 20 02 05 16 36 45 44 33 13 04",                 // 6
    "00 40 16",                                         // 7
    "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33",  // 8
    "16 26 44 41 30 10 01 02 13 33 42",                 // 9
    "03 03/06 06",                                      // :
    "13 13/16 07",                                      // ;
    "31 04 37",                                         // <
    "03 43/05 45",                                      // =
    "01 34 07",                                         // >
    "01 10 30 41 42 23 24/26 26",                       // ?
    "35 15 14 23 33 35 45 42 30 10 01 05 16 36",        // @
    "06 20 46/14 34",                                   // A
    "00 06 36 45 44 33 03/00 30 41 42 33",              // B
    "41 30 10 01 05 16 36 45",                          // C
    "00 06 26 45 41 20 00",                             // D
    "40 00 06 46/03 33",                                // E
    "40 00 06/03 33",                                   // F
    "41 30 10 01 05 16 36 45 43 23",                    // G
    "00 06/40 46/03 43",                                // H
    "00 20/10 16/06 26",                                // I
    "30 35 26 16 05",                                   // J
    "00 06/40 03/13 46",                                // K
    "00 06 46",                                         // L
    "06 00 23 40 46",                                   // M
    "06 00 46 40",                                      // N
    "10 30 41 45 36 16 05 01 10",                       // O
    "06 00 30 41 42 33 03",                             // P
    "10 30 41 45 36 16 05 01 10/24 46",                 // Q
    "06 00 30 41 42 33 03/23 46",                       // R
    "41 30 10 01 02 13 33 44 45 36 16 05",              // S
    "00 40/20 26",                                      // T
    "00 05 16 36 45 40",                                // U
    "00 26 40",                                         // V
    "00 16 23 36 40",                                   // W
    "00 46/40 06",                                      // X
    "00 23 40/23 26",                                   // Y
    "00 40 06 46",                                      // Z
    "20 00 07 27",                                      // [
    "00 47",                                            // backslash
    "00 20 27 07",                                      // ]
    "02 20 42",                                         // ^
    "07 47",                                            // _
    "00 11",                                            // `
    "12 32 43 46/44 14 05 16 36 45",                    // a
    "00 06/03 12 32 43 45 36 16 05",                    // b
    "43 32 12 03 05 16 36 45",                          // c
    "40 46/43 32 12 03 05 16 36 45",                    // d
    "04 44 43 32 12 03 05 16 36 45",                    // e
    "30 20 11 16/02 22",                                // f
    "42 47 38 18 07/43 32 12 03 05 16 36 45",           // g
    "00 06/03 12 32 43 46",                             // h
    "02 06/00 00",                                      // i
    "12 17 08/10 10",                                   // j
    "00 06/32 04/14 36",                                // k
    "00 06",                                            // l
    "02 06/03 12 22 33 36/33 42 52 63 66",              // m
    "02 06/03 12 32 43 46",                             // n
    "12 32 43 45 36 16 05 03 12",                       // o
    "02 08/03 12 32 43 45 36 16 05",                    // p
    "42 48/43 32 12 03 05 16 36 45",                    // q
    "02 06/03 12 32",                                   // r
    "43 32 12 03 14 34 45 36 16 05",                    // s
    "10 15 26 36/02 32",                                // t
    "02 05 16 36 45/42 46",                             // u
    "02 26 42",                                         // v
    "02 16 24 36 42",                                   // w
    "02 46/42 06",                                      // x
    "02 26/42 18",                                      // y
    "02 42 06 46",                                      // z
    "20 11 13 04 15 17 28",                             // {
    "00 07",                                            // |
    "00 11 13 24 15 17 08",                             // }
    "04 13 34 43",                                      // ~
};
constexpr std::string_view kBox = "00 40 46 06 00";

std::string_view glyph_of(unsigned char letter) {
  if (letter < '!' || letter > '~') return kBox;
  return kGlyphs[static_cast<std::size_t>(letter - '!')];
}

// Adds the glyph's strokes at `x`, where there is a list, and returns its width.
double draw(std::string_view glyph, double x, std::vector<Stroke>* strokes) {
  double width = 0;
  const auto x_of = [&](std::size_t point) { return kWidth * (glyph[point] - '0'); };
  const auto y_of = [&](std::size_t point) { return static_cast<double>(glyph[point + 1] - '0'); };
  for (std::size_t i = 0; i + 1 < glyph.size(); i += 3) {
    width = std::max(width, x_of(i));
    const bool lifted = i + 2 >= glyph.size() || glyph[i + 2] == '/';
    if (lifted || strokes == nullptr) continue;
    strokes->push_back({x + x_of(i), y_of(i), x + x_of(i + 3), y_of(i + 3)});
  }
  return width;
}

double walk(std::string_view text, std::vector<Stroke>* strokes) {
  double x = 0;
  for (const char c : text) {
    const auto letter = static_cast<unsigned char>(c);
    if ((letter & 0xC0u) == 0x80) continue;  // the rest of a letter beyond ASCII
    x += kGap + (letter == ' ' ? kWordSpace : draw(glyph_of(letter), x, strokes));
  }
  return x;
}

}  // namespace

std::vector<Stroke> strokes_of(std::string_view text) {
  std::vector<Stroke> strokes;
  walk(text, &strokes);
  return strokes;
}

double advance_of(std::string_view text) { return walk(text, nullptr); }

}  // namespace convoy
