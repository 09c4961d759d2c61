// Copies out of files that are mapped into memory, where a page that cannot be read is an error and
// not the end of the process.
//
// Such a page (the file became shorter, its disk or file server failed) raises SIGBUS in the thread
// that touches it. A handler, put in place with the first mapping, returns to the copy that was
// made; a SIGBUS from anywhere else goes to the handler that was there before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace convoy {

// The first bytes of an open file, read-only. Pages are read as they are touched.
class Mapping {
 public:
  Mapping() = default;
  Mapping(int file, std::int64_t bytes);  // invalid where the system does not map it
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Mapping();

  [[nodiscard]] bool valid() const { return data_ != nullptr; }

  // Copies `rows` runs of `row_bytes`, which stand `stride` bytes apart from `begin` on, one behind
  // the other to `out`. False where a page of them could not be read; what `out` holds is undefined
  // then. All of them lie in the mapping.
  [[nodiscard]] bool copy(std::int64_t begin, std::int64_t rows, std::int64_t row_bytes,
                          std::int64_t stride, std::uint8_t* out) const;

 private:
  std::uint8_t* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace convoy
