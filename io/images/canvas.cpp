// Draws into memory; letters are strokes with soft edges.
#include "io/images/canvas.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/images/stroke_font.h"
#include "io/images/write_png.h"

namespace convoy {
namespace {

constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

// Half the width of a stroke, in units of the font.
constexpr double half_stroke = 0.42;

double distance_to(const Stroke& s, double x, double y) {
  const double dx = s.x1 - s.x0;
  const double dy = s.y1 - s.y0;
  const double length = dx * dx + dy * dy;
  const double along =
      length == 0 ? 0 : std::clamp(((x - s.x0) * dx + (y - s.y0) * dy) / length, 0.0, 1.0);
  return std::hypot(x - s.x0 - along * dx, y - s.y0 - along * dy);
}

}  // namespace

Canvas::Canvas(std::int64_t width, std::int64_t height, Colour background)
    : width_(width), height_(height) {
  if (width < 1 || height < 1 || height > most_pixels / width) {
    fail(ExitCode::usage,
         "a picture of {} x {} pixels was asked for, and 2^28 pixels are the most; show fewer "
         "images",
         width, height);
  }
  pixels_.resize(static_cast<std::size_t>(width * height * 3));
  fill(0, 0, width, height, background);
}

void Canvas::fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height,
                  Colour colour) {
  for (std::int64_t row = std::max<std::int64_t>(0, y); row < std::min(height_, y + height);
       ++row) {
    for (std::int64_t column = std::max<std::int64_t>(0, x); column < std::min(width_, x + width);
         ++column) {
      std::uint8_t* const pixel = &pixels_[static_cast<std::size_t>((row * width_ + column) * 3)];
      pixel[0] = colour.r;
      pixel[1] = colour.g;
      pixel[2] = colour.b;
    }
  }
}

void Canvas::image(std::int64_t x, std::int64_t y, const std::uint8_t* pixels, std::int64_t width,
                   std::int64_t height, std::int64_t zoom) {
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column, pixels += 3) {
      fill(x + column * zoom, y + row * zoom, zoom, zoom, {pixels[0], pixels[1], pixels[2]});
    }
  }
}

void Canvas::blend(std::int64_t x, std::int64_t y, Colour colour, double share) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  std::uint8_t* const pixel = &pixels_[static_cast<std::size_t>((y * width_ + x) * 3)];
  const auto mix = [share](std::uint8_t below, std::uint8_t above) {
    return static_cast<std::uint8_t>(std::lround(below + share * (above - below)));
  };
  pixel[0] = mix(pixel[0], colour.r);
  pixel[1] = mix(pixel[1], colour.g);
  pixel[2] = mix(pixel[2], colour.b);
}

void Canvas::text(double x, double y, std::string_view line, double size, Colour colour) {
  const double unit = size / capital_height;
  const double half = std::max(0.6, half_stroke * unit);  // pixels
  for (Stroke stroke : strokes_of(line)) {
    stroke = {x + stroke.x0 * unit, y + stroke.y0 * unit, x + stroke.x1 * unit,
              y + stroke.y1 * unit};
    const auto [left, right] = std::minmax(stroke.x0, stroke.x1);
    const auto [top, bottom] = std::minmax(stroke.y0, stroke.y1);
    const std::int64_t last_row = std::llround(bottom + half + 1);
    const std::int64_t last_column = std::llround(right + half + 1);
    for (std::int64_t row = std::llround(top - half - 1); row <= last_row; ++row) {
      for (std::int64_t column = std::llround(left - half - 1); column <= last_column; ++column) {
        const double share =
            half + 0.5 -
            distance_to(stroke, static_cast<double>(column) + 0.5, static_cast<double>(row) + 0.5);
        if (share > 0) blend(column, row, colour, std::min(1.0, share));
      }
    }
  }
}

void Canvas::save(const std::filesystem::path& path) const {
  write_png(path, pixels_.data(), height_, width_);
}

double text_width(std::string_view line, double size) {
  return advance_of(line) * size / capital_height;
}

std::string fitted_text(const std::string& line, double width, double size) {
  if (text_width(line, size) <= width) return line;
  std::string begin = line;
  while (!begin.empty() && text_width(begin + "...", size) > width) {
    while ((static_cast<unsigned char>(begin.back()) & 0xC0u) == 0x80) begin.pop_back();
    begin.pop_back();
  }
  return begin + "...";
}

}  // namespace convoy
