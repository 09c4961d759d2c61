// Tells formats apart by their first bytes.
#include "io/images/image.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "io/images/image_formats.h"

namespace convoy {
namespace {

constexpr std::array<std::uint8_t, 2> jpeg_signature{0xFF, 0xD8};
constexpr std::array<std::uint8_t, 8> png_signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::int64_t most_pixels = std::int64_t{1} << 28;

template <std::size_t N>
bool begins_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, N>& start) {
  return bytes.size() >= N && std::equal(start.begin(), start.end(), bytes.begin());
}

}  // namespace

void check_image_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || height > most_pixels / width) {
    fail(ExitCode::bad_data, "cannot be decoded: its header claims {} x {} pixels", width, height);
  }
}

DecodedImage decode_image(std::span<const std::uint8_t> bytes, std::int64_t enough) {
  if (bytes.empty()) fail(ExitCode::bad_data, "is empty");
  if (begins_with(bytes, png_signature)) return decode_png(bytes);
  if (begins_with(bytes, jpeg_signature)) return decode_jpeg(bytes, enough);
  fail(ExitCode::bad_data, "is neither JPEG nor PNG data");
}

}  // namespace convoy
