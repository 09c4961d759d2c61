// Drawing stays inside the picture and where it was asked for.
#include "io/images/canvas.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/images/captioned_sheet.h"
#include "io/images/image.h"
#include "io/images/kernel_sheet.h"
#include "io/images/stroke_font.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

int red_at(const Canvas& canvas, std::int64_t x, std::int64_t y) {
  return canvas.pixels()[static_cast<std::size_t>((y * canvas.width() + x) * 3)];
}

TEST(Canvas, FillsWhatLiesInside) {
  Canvas canvas(4, 3);
  canvas.fill(2, 1, 100, 1, {7, 8, 9});
  canvas.fill(-5, -5, 6, 6, {1, 1, 1});
  for (std::int64_t y = 0; y < 3; ++y) {
    for (std::int64_t x = 0; x < 4; ++x)
      EXPECT_EQ(red_at(canvas, x, y), y == 1 && x >= 2 ? 7 : x == 0 && y == 0 ? 1 : 255);
  }
  expect_error(ExitCode::usage, {"show fewer images"}, [] { Canvas(1 << 20, 1 << 20); });
}

TEST(Canvas, EnlargesImages) {
  Canvas canvas(8, 4, {0, 0, 0});
  const std::vector<std::uint8_t> pixels{10, 0, 0, 20, 0, 0};
  canvas.image(1, 1, pixels.data(), 2, 1, 3);
  for (std::int64_t x = 0; x < 8; ++x)
    EXPECT_EQ(red_at(canvas, x, 3), x < 1 || x > 6 ? 0 : x < 4 ? 10 : 20);
  EXPECT_EQ(red_at(canvas, 1, 0), 0);
}

TEST(Canvas, WritesTextWhereItIsAsked) {
  const std::string line = "Wq, 18 %";
  Canvas canvas(120, 40);
  canvas.text(10, 10, line, 12, {0, 0, 0});
  const double width = text_width(line, 12);
  std::int64_t dark = 0;
  for (std::int64_t y = 0; y < 40; ++y) {
    for (std::int64_t x = 0; x < 120; ++x) {
      const bool inside = x >= 8 && static_cast<double>(x) <= 12 + width && y >= 8 && y <= 28;
      if (!inside) {
        ASSERT_EQ(red_at(canvas, x, y), 255) << x << ' ' << y;
      }
      dark += red_at(canvas, x, y) < 100 ? 1 : 0;
    }
  }
  EXPECT_GT(dark, 100);
  canvas.text(-30, 30, "partly outside, on all sides", 30, {0, 0, 0});
}

TEST(StrokeFont, HasEveryPrintableLetterWithinItsLines) {
  for (char letter = '!'; letter <= '~'; ++letter) {
    const auto strokes = strokes_of(std::string(1, letter));
    EXPECT_FALSE(strokes.empty()) << letter;
    for (const Stroke& stroke : strokes) {
      EXPECT_GE(std::min({stroke.x0, stroke.x1, stroke.y0, stroke.y1}), 0) << letter;
      EXPECT_LE(std::max(stroke.y0, stroke.y1), 8) << letter;
      EXPECT_LE(std::max(stroke.x0, stroke.x1), advance_of(std::string(1, letter))) << letter;
    }
  }
  EXPECT_TRUE(strokes_of(" ").empty());
  EXPECT_EQ(strokes_of("\u00e9").size(), 4u);  // a box, once
}

TEST(FittedText, CutsAtLetters) {
  const std::string line = "caf\u00e9 caf\u00e9 caf\u00e9";
  EXPECT_EQ(fitted_text(line, 1000, 10), line);
  for (double width = text_width("...", 10) + 1; width < text_width(line, 10); width += 3) {
    const std::string cut = fitted_text(line, width, 10);
    EXPECT_LE(text_width(cut, 10), width);
    ASSERT_TRUE(cut.ends_with("..."));
    const std::string begin = cut.substr(0, cut.size() - 3);
    EXPECT_TRUE(line.starts_with(begin));
    EXPECT_FALSE(begin.ends_with('\xc3')) << "half a letter";
  }
}

TEST(CaptionedSheet, ShowsPicturesAndBars) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "sheet.png";
  const Bytes green = constant_pixels(100, 100, {0, 200, 0});
  const CaptionedPicture one{green, {"right"}, {{"a", 0.5, true}, {"b", 0.25, false}}};
  write_captioned_sheet(path, {one, one, one}, 100, 2);
  const Image sheet = decode_image(read_bytes(path)).image;
  EXPECT_EQ(sheet.width, 14 + 2 * (200 + 14));  // 100 pixels are enlarged to 200
  EXPECT_EQ(sheet.height, 14 + 2 * (200 + 6 + 20 + 2 * 22 + 14));
  const auto pixel = [&](std::int64_t x, std::int64_t y) {
    return std::vector<int>(sheet.pixels.begin() + (y * sheet.width + x) * 3,
                            sheet.pixels.begin() + (y * sheet.width + x) * 3 + 3);
  };
  EXPECT_EQ(pixel(14, 14), (std::vector<int>{0, 200, 0}));
  EXPECT_EQ(pixel(213, 213), (std::vector<int>{0, 200, 0}));
  EXPECT_EQ(pixel(214, 213), (std::vector<int>{255, 255, 255}));
  // The first bar is half as long as the picture is wide, the second a quarter, in another colour.
  const std::int64_t bar = 14 + 200 + 6 + 20 + 1;
  EXPECT_EQ(pixel(14 + 99, bar), pixel(14, bar));
  EXPECT_NE(pixel(14 + 101, bar), pixel(14, bar));
  EXPECT_EQ(pixel(14 + 49, bar + 22), pixel(14, bar + 22));
  EXPECT_NE(pixel(14 + 51, bar + 22), pixel(14, bar + 22));
  EXPECT_NE(pixel(14, bar), pixel(14, bar + 22));
  // No picture lies in the fourth place.
  EXPECT_EQ(pixel(14 + 214 + 50, sheet.height - 100), (std::vector<int>{255, 255, 255}));
  EXPECT_EQ(sheet_columns(5), 3);
  // With two bars a picture is 298 pixels high and 214 wide, alone hardly higher than wide.
  EXPECT_EQ(sheet_columns(std::vector<CaptionedPicture>(8, one), 100), 4);
  EXPECT_EQ(sheet_columns(std::vector<CaptionedPicture>(1, one), 100), 1);
  EXPECT_EQ(sheet_columns(std::vector<CaptionedPicture>(8, {green, {}, {}}), 100), 3);
  expect_error(ExitCode::usage, {"no picture"}, [&] { write_captioned_sheet(path, {}, 9, 1); });
}

TEST(KernelSheet, DrawsBlocksWithGreyForNothing) {
  // 34 kernels of 1x2 in two blocks of 17: two rows each.
  std::vector<float> weights(34 * 2 * 3, 0);
  weights[0] = 2;            // kernel 0: first pixel red
  weights[17 * 6 + 3] = -1;  // kernel 17, the first of the second block: second pixel not red
  const KernelSheet sheet{.weights = weights, .kernels = 34, .rows = 1, .columns = 2, .blocks = 2};
  const Canvas canvas = draw_kernels(sheet);  // pixels are enlarged to 22
  EXPECT_EQ(canvas.width(), 2 * 8 + 16 * 48 - 4);
  EXPECT_EQ(canvas.height(), 2 * 8 + 2 * (2 * 26 - 4 + 16) - 16);
  EXPECT_EQ(red_at(canvas, 8, 8), 255);
  EXPECT_EQ(red_at(canvas, 8 + 22, 8), 128);
  EXPECT_EQ(red_at(canvas, 8 + 48, 8), 128);
  EXPECT_EQ(red_at(canvas, 8 + 22, 8 + 64), 1);
  EXPECT_EQ(red_at(canvas, 8 + 48, 8 + 26), 255) << "the second row of a block has one kernel";

  KernelSheet other = sheet;
  other.together = true;
  EXPECT_EQ(red_at(draw_kernels(other), 8 + 22, 8 + 64), 65);  // -1 of at most 2: 128 - 63.5
  other.bgr = true;
  EXPECT_EQ(red_at(draw_kernels(other), 8, 8), 128) << "the first channel is blue";
}

}  // namespace
}  // namespace convoy
