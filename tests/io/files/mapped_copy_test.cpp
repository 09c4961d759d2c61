// Copies out of a mapping: exact, and false rather than fatal where pages are gone.
#include "io/files/mapped_copy.h"

#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>

#include "io/files/descriptor.h"
#include "io/files/temporary_folder.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

TEST(MappedCopy, CopiesRowsUntilTheFileEnds) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  Bytes bytes(20'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 / 3);
  write_bytes(path, bytes);
  const Descriptor file(::open(path.c_str(), O_RDONLY));
  const Mapping mapping(file.get(), 20'000);
  ASSERT_TRUE(mapping.valid());
  Bytes out(3 * 50);
  ASSERT_TRUE(mapping.copy(9'000, 3, 50, 800, out.data()));
  for (std::size_t i = 0; i < out.size(); ++i)
    EXPECT_EQ(out[i], bytes[9'000 + i / 50 * 800 + i % 50]);

  std::filesystem::resize_file(path, 4'096);
  EXPECT_FALSE(mapping.copy(9'000, 3, 50, 800, out.data()));
  EXPECT_FALSE(mapping.copy(3'700, 3, 50, 800, out.data()));  // the third row is gone
  EXPECT_TRUE(mapping.copy(100, 3, 50, 800, out.data()));
}

TEST(MappedCopy, ThereIsNoneOfAnEmptyFile) {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "file", {});
  const Descriptor file(::open((folder.path() / "file").c_str(), O_RDONLY));
  EXPECT_FALSE(Mapping(file.get(), 0).valid());
}

// The program's own errors still end it.
TEST(MappedCopyDeathTest, OtherBusErrorsAreFatal) {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "file", Bytes(10, 1));
  const Descriptor file(::open((folder.path() / "file").c_str(), O_RDONLY));
  const Mapping mapping(file.get(), 10);
  EXPECT_DEATH(std::raise(SIGBUS), "");
}

}  // namespace
}  // namespace convoy
