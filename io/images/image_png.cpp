// PNG through libpng's simplified interface, which turns every kind of PNG into sRGB bytes.
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

}  // namespace

DecodedImage decode_png(std::span<const std::uint8_t> bytes) {
  PngReader reader;
  reader.check(png_image_begin_read_from_memory(&reader.image, bytes.data(), bytes.size()));
  check_image_size(reader.image.width, reader.image.height);
  const bool transparent = (reader.image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  reader.image.format = PNG_FORMAT_RGB;

  DecodedImage result;
  result.format = ImageFormat::png;
  result.image.width = reader.image.width;
  result.image.height = reader.image.height;
  result.image.pixels.resize(PNG_IMAGE_SIZE(reader.image));
  const png_color white{255, 255, 255};
  reader.check(png_image_finish_read(&reader.image, transparent ? &white : nullptr,
                                     result.image.pixels.data(), 0, nullptr));
  if (transparent) result.notes.emplace_back("transparency laid on white");
  if (reader.image.warning_or_error == PNG_IMAGE_WARNING) {
    result.notes.push_back(fmt::format("PNG: {}", reader.image.message));
  }
  return result;
}

}  // namespace convoy
