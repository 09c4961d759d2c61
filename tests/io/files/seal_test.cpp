// Seals: the documented checksum, over every byte of files of any length.
#include "io/files/seal.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"

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

TEST(Seal, LeavesOutItsGapAndNothingElse) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  write_bytes(path, std::string(3'000, 'x'));
  seal_file(path, {1'000, 2'000});
  const std::string sealed = bytes_of(path);
  ASSERT_EQ(sealed.size(), 3'000u + 128u);
  EXPECT_THAT(sealed, testing::HasSubstr(" bytes 3000 without 1000-2000 "));
  for (std::size_t place = 0; place < sealed.size(); ++place) {
    std::string damaged = sealed;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    write_bytes(path, damaged);
    if (place >= 1'000 && place < 2'000) {
      EXPECT_NO_THROW(check_seal(path, ExitCode::bad_data)) << place;
    } else {
      EXPECT_THROW(check_seal(path, ExitCode::bad_data), Error) << place;
    }
  }
}

// Found by fuzzing: what stands before a seal may look like one.
TEST(Seal, IsNotMistakenForWhatIsBeforeIt) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  std::string before = "\nconvoy-seal crc32c 00000000 bytes 9 without 1-2";
  before.resize(64, ' ');
  write_bytes(path, before);
  seal_file(path);
  check_seal(path, ExitCode::bad_data);
  write_bytes(path, before);
  seal_file(path, {3, 7});
  check_seal(path, ExitCode::bad_data);
}

TEST(Seal, IsKnownWhereOnlyItsBeginningIsLeft) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x";
  for (const Unsealed gap : {Unsealed{}, Unsealed{10, 20}}) {
    write_bytes(path, std::string(200, 'x'));
    EXPECT_FALSE(has_seal(path, ExitCode::bad_data));
    seal_file(path, gap);
    for (std::uintmax_t bytes = fs::file_size(path); bytes > 201; --bytes) {
      fs::resize_file(path, bytes);
      EXPECT_TRUE(has_seal(path, ExitCode::bad_data)) << bytes;
    }
  }
  EXPECT_THROW((void)has_seal(folder.path() / "y", ExitCode::bad_data), Error);
}

}  // namespace
}  // namespace convoy
