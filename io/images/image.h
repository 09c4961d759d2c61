// Decodes the bytes of an image file to RGB. What the bytes are decides, never the file's name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace convoy {

struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> pixels;  // [height, width, 3] RGB
};

enum class ImageFormat { jpeg, png };

struct DecodedImage {
  Image image;
  ImageFormat format = ImageFormat::jpeg;
  // What was converted or repaired on the way ("CMYK converted"); grayscale is no event.
  std::vector<std::string> notes;
};

// Decodes JPEG (grayscale, YCbCr, RGB, CMYK, YCCK) and PNG (any; 16-bit values are sRGB unless the
// file says otherwise, transparent pixels are blended over white as they are stored). EXIF
// orientation is ignored, as ImageNet's users do. A JPEG whose shorter side is at least twice
// `enough` may come out at 1/2, 1/4 or 1/8 of its size, with a shorter side of no less than
// `enough`; 0 keeps the full size. This is the one shortcut of packing that alters pixels.
//
// Damage that the decoder gets over (stray bytes, a wrong restart marker, a bad code) is decoded
// and noted. Throws Error(bad_data) with the reason for bytes that are no image, whose pixels end
// early, or that claim more than 2^28 pixels. Never reads or writes out of bounds, whatever the
// bytes.
[[nodiscard]] DecodedImage decode_image(std::span<const std::uint8_t> bytes,
                                        std::int64_t enough = 0);

}  // namespace convoy
