// CRC-32C by ISA-L, which runs at memory speed on every x86 and ARM processor it knows.
#include "io/files/crc32c.h"

#include <algorithm>

#include <isa-l/crc.h>

namespace convoy {

std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t crc) {
  constexpr std::size_t longest = std::size_t{1} << 30;  // ISA-L counts bytes in an int
  // ISA-L's interface is C of old: it takes a mutable pointer and does not write through it.
  auto* next = static_cast<unsigned char*>(const_cast<void*>(data));
  crc = ~crc;  // the standard's complement before and after is left to the caller
  while (bytes > 0) {
    const std::size_t part = std::min(bytes, longest);
    crc = crc32_iscsi(next, static_cast<int>(part), crc);
    next += part;
    bytes -= part;
  }
  return ~crc;
}

}  // namespace convoy
