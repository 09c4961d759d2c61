// A picture that is drawn: rectangles, images, text; written as a PNG.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

struct Colour {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
};
inline constexpr Colour white{255, 255, 255};

// Pixels are counted from the top left. What lies outside is not drawn.
class Canvas {
 public:
  // Throws Error(usage) for a picture without pixels or with more than 2^28 of them.
  Canvas(std::int64_t width, std::int64_t height, Colour background = white);

  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::int64_t height() const { return height_; }
  [[nodiscard]] const std::vector<std::uint8_t>& pixels() const { return pixels_; }  // [H, W, 3]

  void fill(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height, Colour colour);
  // pixels [height, width, 3] RGB, each as a square of zoom x zoom.
  void image(std::int64_t x, std::int64_t y, const std::uint8_t* pixels, std::int64_t width,
             std::int64_t height, std::int64_t zoom = 1);
  // One line of UTF-8 text with capitals of `size` pixels, whose upper edge is at y.
  void text(double x, double y, std::string_view line, double size, Colour colour);

  // Written aside and renamed. Throws Error(resource).
  void save(const std::filesystem::path& path) const;

 private:
  void blend(std::int64_t x, std::int64_t y, Colour colour, double share);

  std::int64_t width_;
  std::int64_t height_;
  std::vector<std::uint8_t> pixels_;
};

// Pixels that Canvas::text takes.
[[nodiscard]] double text_width(std::string_view line, double size);
// The text, or as much of its begin as fits into `width` pixels, then "...".
[[nodiscard]] std::string fitted_text(const std::string& line, double width, double size);

}  // namespace convoy
