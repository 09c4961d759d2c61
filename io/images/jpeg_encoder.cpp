// Encodes JPEGs through TurboJPEG.
#include "io/images/jpeg_encoder.h"

#include <turbojpeg.h>

#include "core/error.h"

namespace convoy {

void JpegEncoder::Destroy::operator()(void* handle) const { tjDestroy(handle); }

JpegEncoder::JpegEncoder(int quality, ChromaResolution chroma)
    : handle_(tjInitCompress()), quality_(quality), chroma_(chroma) {
  if (!handle_) fail(ExitCode::resource, "cannot start the JPEG encoder: {}", tjGetErrorStr());
}

std::vector<std::uint8_t> JpegEncoder::encode(const std::uint8_t* pixels, std::int64_t height,
                                              std::int64_t width) const {
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int subsampling = chroma_ == ChromaResolution::full ? TJSAMP_444 : TJSAMP_420;
  const int failed =
      tjCompress2(handle_.get(), pixels, static_cast<int>(width), 0, static_cast<int>(height),
                  TJPF_RGB, &bytes, &size, subsampling, quality_, TJFLAG_ACCURATEDCT);
  const std::unique_ptr<unsigned char, decltype(&tjFree)> owner(bytes, &tjFree);
  if (failed != 0) {
    fail(ExitCode::resource, "cannot encode an image of {} x {} pixels as JPEG: {}", width, height,
         tjGetErrorStr2(handle_.get()));
  }
  return {bytes, bytes + size};
}

}  // namespace convoy
