// Lays out tiles of equal size: a picture, lines, bars.
#include "io/images/captioned_sheet.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "io/images/canvas.h"

namespace convoy {
namespace {

constexpr std::int64_t kLeastPicture = 160;  // pixels; smaller ones are enlarged
constexpr std::int64_t kMargin = 14;
constexpr std::int64_t kLine = 20;
constexpr std::int64_t kBar = 20;
constexpr double kText = 9;  // of a capital
constexpr Colour kInk{28, 36, 48};
constexpr Colour kSoft{90, 102, 117};
constexpr Colour kRight{240, 160, 150};
constexpr Colour kOther{166, 198, 232};
constexpr Colour kTrack{238, 241, 245};

class Sheet {
 public:
  Sheet(const std::vector<CaptionedPicture>& pictures, std::int64_t size, std::int64_t columns)
      : pictures_(pictures),
        size_(size),
        columns_(columns),
        zoom_(std::max<std::int64_t>(1, (kLeastPicture + size - 1) / size)) {
    for (const CaptionedPicture& picture : pictures) {
      lines_ = std::max(lines_, std::ssize(picture.lines));
      bars_ = std::max(bars_, std::ssize(picture.bars));
    }
  }

  [[nodiscard]] Canvas draw() const {
    const std::int64_t count = std::ssize(pictures_);
    const std::int64_t rows = (count + columns_ - 1) / columns_;
    Canvas canvas(kMargin + columns_ * pitch_x(), kMargin + rows * pitch_y());
    for (std::int64_t i = 0; i < count; ++i) {
      draw_one(canvas, pictures_[static_cast<std::size_t>(i)], kMargin + i % columns_ * pitch_x(),
               kMargin + i / columns_ * pitch_y());
    }
    return canvas;
  }

  // Of a picture with what stands below it: its height by its width.
  [[nodiscard]] double steepness() const {
    return static_cast<double>(pitch_y()) / static_cast<double>(pitch_x());
  }

 private:
  [[nodiscard]] std::int64_t side() const { return size_ * zoom_; }
  [[nodiscard]] std::int64_t pitch_x() const { return side() + kMargin; }
  [[nodiscard]] std::int64_t pitch_y() const {
    return side() + 6 + lines_ * kLine + bars_ * (kBar + 2) + kMargin;
  }

  void draw_one(Canvas& canvas, const CaptionedPicture& picture, std::int64_t x,
                std::int64_t y) const {
    const auto width = static_cast<double>(side());
    const auto write = [&](const std::string& text, std::int64_t top, std::int64_t height,
                           double indent, Colour colour) {
      canvas.text(static_cast<double>(x) + indent,
                  static_cast<double>(top) + (static_cast<double>(height) - kText) / 2,
                  fitted_text(text, width - indent, kText), kText, colour);
    };
    if (!picture.pixels.empty()) canvas.image(x, y, picture.pixels.data(), size_, size_, zoom_);
    std::int64_t top = y + side() + 6;
    for (std::size_t i = 0; i < picture.lines.size(); ++i, top += kLine)
      write(picture.lines[i], top, kLine, 0, i == 0 ? kInk : kSoft);
    top = y + side() + 6 + lines_ * kLine;
    for (const CaptionBar& bar : picture.bars) {
      canvas.fill(x, top, side(), kBar, kTrack);
      const double share = std::clamp(bar.fraction, 0.0, 1.0);
      canvas.fill(x, top, std::llround(share * width), kBar, bar.right ? kRight : kOther);
      write(bar.text, top, kBar, 5, kInk);
      top += kBar + 2;
    }
  }

  const std::vector<CaptionedPicture>& pictures_;
  std::int64_t size_;
  std::int64_t columns_;
  std::int64_t zoom_;
  std::int64_t lines_ = 0;
  std::int64_t bars_ = 0;
};

}  // namespace

void write_captioned_sheet(const std::filesystem::path& path,
                           const std::vector<CaptionedPicture>& pictures, std::int64_t size,
                           std::int64_t columns) {
  if (pictures.empty()) fail(ExitCode::usage, "there is no picture to put into {}", path.string());
  Sheet(pictures, size, columns).draw().save(path);
}

std::int64_t sheet_columns(std::size_t pictures, double steepness) {
  const auto count = static_cast<double>(pictures);
  return static_cast<std::int64_t>(std::min(count, std::ceil(std::sqrt(count * steepness))));
}

std::int64_t sheet_columns(const std::vector<CaptionedPicture>& pictures, std::int64_t size) {
  return sheet_columns(pictures.size(), Sheet(pictures, size, 1).steepness());
}

}  // namespace convoy
