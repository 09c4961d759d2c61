// The CPU device: options, memory, copies.
#include "core/device.h"

#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace convoy {
namespace {

TEST(Device, RefusesUnknownKindsAndNegativeThreads) {
  for (const DeviceOptions& options : {DeviceOptions{"gpu", 0}, DeviceOptions{"cpu", -1},
                                       DeviceOptions{"cpu", 1, "auto", "bf16"}}) {
    try {
      make_device(options, {});
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ExitCode::usage);
    }
  }
}

TEST(Device, SaysHowManyThreads) {
  EXPECT_THAT(make_device({"cpu", 3}, {})->description(), testing::HasSubstr("3 threads"));
  EXPECT_THAT(make_device({"cpu", 0}, {0, 1 << 20})->description(),
              testing::HasSubstr("1 thread,"));
}

TEST(Device, MemoryIsAlignedAndZero) {
  const auto device = make_device({"cpu", 2}, {});
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{5} << 20}) {
    const Buffer buffer = device->allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_EQ(buffer.bytes(), bytes);
    const auto* const data = static_cast<const char*>(buffer.data());
    for (std::size_t i = 0; i < bytes; ++i) ASSERT_EQ(data[i], 0);
  }
}

TEST(Device, RunningOutOfMemoryIsAnError) {
  const auto device = make_device({"cpu", 1}, {});
  try {
    static_cast<void>(device->allocate(std::size_t{1} << 60));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::resource);
    EXPECT_THAT(e.what(), testing::HasSubstr("1099511627776 MB more are needed"));
  }
}

TEST(Device, CopiesAndFills) {
  const auto device = make_device({"cpu", 2}, {});
  const auto stream = device->make_stream();
  const Buffer a = device->allocate(100), b = device->allocate(100);
  const std::string text(100, 'x');
  std::string back(100, ' ');
  device->copy_to_device(a.data(), text.data(), 100, *stream);
  device->copy(b.data(), a.data(), 100, *stream);
  device->fill_zero(a.data(), 100, *stream);
  device->copy_to_host(back.data(), b.data(), 100, *stream);
  EXPECT_EQ(back, text);
  device->copy_to_host(back.data(), a.data(), 100, *stream);
  EXPECT_EQ(back, std::string(100, '\0'));
}

}  // namespace
}  // namespace convoy
