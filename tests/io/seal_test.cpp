// Seals: the documented checksum, over every byte of files of any length.
#include "io/seal.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/io/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(Seal, IsTheDocumentedChecksum) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  write_bytes(path, "123456789");  // the check value of CRC-32C is e3069283
  seal_file(path);
  EXPECT_EQ(fs::file_size(path), 9u + 64u);
  EXPECT_THAT(bytes_of(path),
              testing::StartsWith("123456789\nconvoy-seal crc32c e3069283 bytes 9 "));
  check_seal(path, ExitCode::bad_checkpoint);
}

TEST(Seal, CoversFilesOfManyChunks) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  const std::string content(5'000'001, 'x');
  write_bytes(path, content);
  seal_file(path);
  check_seal(path, ExitCode::bad_checkpoint);
  const std::string sealed = bytes_of(path);
  for (const std::size_t place : {0, 1'048'575, 1'048'576, 3'000'000, 5'000'000}) {
    std::string damaged = sealed;
    damaged[place] = 'y';
    write_bytes(path, damaged);
    EXPECT_THROW(check_seal(path, ExitCode::bad_checkpoint), Error) << place;
  }
}

}  // namespace
}  // namespace convoy
