// Writes PNGs through libpng's simplified interface.
#include "io/images/write_png.h"

#include <string>

#include <png.h>

#include "core/error.h"
#include "io/files/durable.h"

namespace convoy {

std::string encode_png(const std::string& what, const std::uint8_t* pixels, std::int64_t height,
                       std::int64_t width) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string file(bytes, '\0');
  if (png_image_write_to_memory(&image, file.data(), &bytes, 0, pixels, 0, nullptr) == 0)
    fail(ExitCode::resource, "cannot encode {}: {}", what, image.message);
  file.resize(bytes);
  return file;
}

void write_png(const std::filesystem::path& path, const std::uint8_t* pixels, std::int64_t height,
               std::int64_t width) {
  write_durably(path, encode_png(path.string(), pixels, height, width));
}

}  // namespace convoy
