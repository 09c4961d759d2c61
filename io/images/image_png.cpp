// PNG through libpng's simplified interface, which turns every kind of PNG into sRGB bytes.
#include <algorithm>

#include <png.h>

#include "core/error.h"
#include "io/images/image_formats.h"

namespace convoy {
namespace {

struct PngReader {
  png_image image{};

  PngReader() { image.version = PNG_IMAGE_VERSION; }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_image_free(&image); }

  void check(int ok) const {
    if (ok == 0) fail(ExitCode::bad_data, "cannot be decoded: PNG: {}", image.message);
  }
};

// Blends RGBA over white, value by value as they are stored, and closes the gaps that alpha leaves.
void lay_on_white(std::vector<std::uint8_t>& pixels) {
  constexpr unsigned white = 255;
  auto to = pixels.begin();
  for (auto from = pixels.cbegin(); from != pixels.cend(); from += 4) {
    const unsigned alpha = from[3];
    to = std::transform(from, from + 3, to, [&](unsigned value) {
      return static_cast<std::uint8_t>((value * alpha + white * (255 - alpha) + 127) / 255);
    });
  }
  pixels.erase(to, pixels.end());
}

}  // namespace

DecodedImage decode_png(std::span<const std::uint8_t> bytes) {
  PngReader reader;
  reader.check(png_image_begin_read_from_memory(&reader.image, bytes.data(), bytes.size()));
  check_image_size(reader.image.width, reader.image.height);
  const bool transparent = (reader.image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  reader.image.format = transparent ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  // Libpng takes 16-bit values of a file that does not say for linear light; nearly all are sRGB.
  reader.image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;

  DecodedImage result;
  result.format = ImageFormat::png;
  result.image.width = reader.image.width;
  result.image.height = reader.image.height;
  result.image.pixels.resize(PNG_IMAGE_SIZE(reader.image));
  reader.check(
      png_image_finish_read(&reader.image, nullptr, result.image.pixels.data(), 0, nullptr));
  if (transparent) {
    lay_on_white(result.image.pixels);
    result.notes.emplace_back("transparency laid on white");
  }
  if (reader.image.warning_or_error == PNG_IMAGE_WARNING) {
    result.notes.push_back(fmt::format("PNG: {}", reader.image.message));
  }
  return result;
}

}  // namespace convoy
