// Tars made in memory for tests, whole or with lies in their headers.
#pragma once

#include <cstdio>
#include <cstring>
#include <string>

#include "tests/io/support/image_files.h"

namespace convoy {

// A header block; `claimed` is the size that it states.
inline Bytes tar_header(const std::string& name, std::size_t claimed, char type = '0') {
  Bytes block(512, 0);
  const auto put = [&](std::size_t at, const std::string& text) {
    std::memcpy(block.data() + at, text.data(), text.size());
  };
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", claimed);
  put(0, name);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size);
  put(136, "00000000000");
  put(148, "        ");
  block[156] = static_cast<std::uint8_t>(type);
  put(257, "ustar");
  put(263, "00");
  unsigned sum = 0;
  for (const std::uint8_t byte : block) sum += byte;
  char checksum[8];
  std::snprintf(checksum, sizeof checksum, "%06o", sum);
  std::memcpy(block.data() + 148, checksum, 7);
  return block;
}

inline void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

class TarMaker {
 public:
  TarMaker& add(const std::string& name, const Bytes& content) {
    append(bytes_, tar_header(name, content.size()));
    append(bytes_, content);
    bytes_.resize((bytes_.size() + 511) / 512 * 512, 0);
    return *this;
  }
  TarMaker& add_block(const Bytes& block) {
    append(bytes_, block);
    return *this;
  }
  [[nodiscard]] Bytes without_end() const { return bytes_; }
  [[nodiscard]] Bytes finish() const {
    Bytes whole = bytes_;
    whole.resize(whole.size() + 1024, 0);
    return whole;
  }

 private:
  Bytes bytes_;
};

inline Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace convoy
