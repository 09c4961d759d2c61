// Philox 4x32-10 for the host and for kernels. random.h says how draws are addressed.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define CONVOY_HOST_DEVICE __host__ __device__
#else
#define CONVOY_HOST_DEVICE
#endif

namespace convoy {

struct PhiloxWords {
  std::uint32_t v[4];
};

// The raw generator; golden values from the authors' test vectors are in the tests.
[[nodiscard]] CONVOY_HOST_DEVICE constexpr PhiloxWords philox(PhiloxWords counter,
                                                              std::uint32_t key0,
                                                              std::uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter.v[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter.v[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter.v[1] ^ key0, static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter.v[3] ^ key1, static_cast<std::uint32_t>(p0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

}  // namespace convoy
