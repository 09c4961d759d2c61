// JPEG and PNG files, at full size and reduced.
#include "io/images/image.h"

#include <turbojpeg.h>

#include "tests/faults/fuzz/target.h"

namespace {

// Headers may claim images of 800 MB, which is right and takes its time: not here.
bool is_large(std::span<const std::uint8_t> bytes) {
  constexpr double most = 1 << 20;
  if (bytes.size() >= 24 && bytes[0] == 0x89) {  // PNG: width and height stand in its first chunk
    double width = 0;
    double height = 0;
    for (std::size_t i = 16; i < 20; ++i) width = width * 256 + bytes[i];
    for (std::size_t i = 20; i < 24; ++i) height = height * 256 + bytes[i];
    return width * height > most;
  }
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colours = 0;
  const tjhandle handle = tjInitDecompress();
  tjDecompressHeader3(handle, bytes.data(), bytes.size(), &width, &height, &subsampling, &colours);
  tjDestroy(handle);
  return static_cast<double>(width) * height > most;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace convoy;
  const std::span bytes(data, size);
  if (size == 0 || is_large(bytes)) return 0;
  for (const std::int64_t enough : {0, 24}) {
    fuzz::only_errors({ExitCode::bad_data}, [&] {
      const Image image = decode_image(bytes, enough).image;
      const auto pixels = static_cast<std::size_t>(image.width * image.height * 3);
      if (image.width < 1 || image.height < 1 || image.pixels.size() != pixels) std::abort();
    });
  }
  return 0;
}
