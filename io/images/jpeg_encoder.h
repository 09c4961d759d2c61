// Pixels to JPEG files, in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace convoy {

// Whether colours keep the resolution of brightness (4:4:4) or half of it each way (4:2:0).
enum class ChromaResolution { full, half };

// One a thread.
class JpegEncoder {
 public:
  JpegEncoder(int quality, ChromaResolution chroma);  // quality 1 to 100

  // The file of an image [height, width, 3] RGB; the same pixels give the same bytes. Throws
  // Error(resource).
  [[nodiscard]] std::vector<std::uint8_t> encode(const std::uint8_t* pixels, std::int64_t height,
                                                 std::int64_t width) const;

 private:
  struct Destroy {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Destroy> handle_;
  int quality_;
  ChromaResolution chroma_;
};

}  // namespace convoy
