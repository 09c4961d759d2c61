// Decodes the JPEG images of a shard: of one known size, and without the slightest damage, since a
// packer wrote them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace convoy {

// One a thread.
class StoredJpegDecoder {
 public:
  // pixels [size, size, 3] RGB. Throws Error(bad_data) with a reason that completes "image 3 of
  // shard.h5 ...", where bytes do not decode cleanly to that size.
  void decode(std::span<const std::uint8_t> bytes, std::int64_t size, std::uint8_t* pixels);

 private:
  struct Destroy {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Destroy> handle_;  // made when first needed
};

}  // namespace convoy
