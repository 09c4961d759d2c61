// What is written is there, wherever it lies in memory and in the file.
#include "io/files/direct_write.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "io/files/page_memory.h"
#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

class DirectWriteTest : public testing::Test {
 protected:
  // The file after `count` bytes from byte `from` of some memory were written at `offset`.
  Bytes written(std::int64_t offset, std::size_t from, std::size_t count) const {
    write_text(path_, "before");
    write_directly(path_, offset, std::span(memory_).subspan(from, count));
    return read_bytes(path_);
  }
  [[nodiscard]] Bytes expected(std::int64_t offset, std::size_t from, std::size_t count) const {
    const std::string before = "before";
    Bytes bytes(before.begin(), before.end());
    const auto begin = static_cast<std::size_t>(offset);
    bytes.resize(std::max(bytes.size(), begin + count));
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(from), count,
                bytes.begin() + static_cast<std::ptrdiff_t>(begin));
    return bytes;
  }

  DirectWriteTest() : memory_(5'000'000) {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      memory_[i] = static_cast<std::uint8_t>(i * 7 + i / 4096);
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "file";
  PageBytes memory_;
};

TEST_F(DirectWriteTest, WholePagesAndWhatIsLeftOver) {
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory_.data()) % 4096, 0);
  for (const std::size_t count : {1, 4095, 4096, 8192, 12'345, 4'999'999}) {
    EXPECT_EQ(written(8192, 0, count), expected(8192, 0, count)) << count;
  }
}

TEST_F(DirectWriteTest, PlacesBetweenPages) {
  EXPECT_EQ(written(8192, 1, 20'000), expected(8192, 1, 20'000));
  EXPECT_EQ(written(3, 0, 20'000), expected(3, 0, 20'000));
  EXPECT_EQ(written(3, 5, 20), expected(3, 5, 20));
}

TEST_F(DirectWriteTest, NamesTheFileThatCannotBeWritten) {
  expect_error(ExitCode::resource, {"cannot write", "missing", "No such file"},
               [&] { write_directly(folder_.path() / "missing", 0, memory_); });
}

}  // namespace
}  // namespace convoy
