// CRC-32C: published check values, and continuation.
#include "io/files/crc32c.h"

#include <array>

#include <gtest/gtest.h>

namespace convoy {
namespace {

TEST(Crc32c, HasThePublishedValues) {
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283u);
  const std::array<unsigned char, 32> zeros{};
  EXPECT_EQ(crc32c(zeros.data(), zeros.size()), 0x8A9136AAu);  // RFC 3720, appendix B.4
  EXPECT_EQ(crc32c(nullptr, 0), 0u);
}

TEST(Crc32c, Continues) { EXPECT_EQ(crc32c("56789", 5, crc32c("1234", 4)), 0xE3069283u); }

}  // namespace
}  // namespace convoy
