// JPEG through TurboJPEG, by one decoder for many images.
#include "io/images/stored_jpeg.h"

#include <string>

#include <turbojpeg.h>

#include "core/error.h"

namespace convoy {

void StoredJpegDecoder::Destroy::operator()(void* handle) const { tjDestroy(handle); }

void StoredJpegDecoder::decode(std::span<const std::uint8_t> bytes, std::int64_t size,
                               std::uint8_t* pixels) {
  if (!handle_) handle_.reset(tjInitDecompress());
  if (!handle_) fail(ExitCode::resource, "cannot start the JPEG decoder: {}", tjGetErrorStr());
  int width = 0;
  int height = 0;
  int subsampling = -1;
  int colour_space = -1;
  const int header = tjDecompressHeader3(handle_.get(), bytes.data(), bytes.size(), &width, &height,
                                         &subsampling, &colour_space);
  if (header == 0 && (width != size || height != size)) {
    fail(ExitCode::bad_data, "has {} x {} pixels, but the index says {} x {}", width, height, size,
         size);
  }
  if (header == 0 && tjDecompress2(handle_.get(), bytes.data(), bytes.size(), pixels, width, 0,
                                   height, TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS) == 0)
    return;
  const std::string reason = tjGetErrorStr2(handle_.get());
  handle_.reset();  // after some broken headers a decoder refuses every image that follows
  fail(ExitCode::bad_data, "cannot be decoded: {}", reason);
}

}  // namespace convoy
