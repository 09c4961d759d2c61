// Frames against bytes that are known, and files that are damaged or cut short.
#include "io/run/record_file.h"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "io/files/temporary_folder.h"

namespace convoy {
namespace {

// CRC-32C of "123456789" is 0xE3069283: rotated right by 15 that is 0x2507C60D, and 0xA282EAD8 is
// added. The checksum of 32 zeros, 0x8A9136AA, is in RFC 3720.
TEST(RecordFrame, MasksKnownChecksums) {
  EXPECT_EQ(masked_crc32c("123456789"), 0x2507C60Du + 0xA282EAD8u);
  EXPECT_EQ(masked_crc32c(std::string(32, '\0')),
            ((0x8A9136AAu >> 15) | (0x8A9136AAu << 17)) + 0xA282EAD8u);
}

TEST(RecordFrame, HasLengthRecordAndTwoChecksums) {
  const std::string frame = framed("abc");
  ASSERT_EQ(frame.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(frame.substr(0, 8), std::string("\3\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(frame.substr(12, 3), "abc");
}

class RecordFile : public testing::Test {
 protected:
  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  [[nodiscard]] std::vector<std::string> records() const {
    RecordReader reader(path_);
    std::vector<std::string> records;
    for (std::string record; reader.next(record);) records.push_back(record);
    return records;
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "records";
};

TEST_F(RecordFile, GivesBackWhatWasFramed) {
  const std::string long_record(100'000, 'x');
  write(framed("one") + framed("") + framed(long_record));
  EXPECT_EQ(records(), (std::vector<std::string>{"one", "", long_record}));
}

TEST_F(RecordFile, EndsBeforeAFrameThatIsCutShort) {
  const std::string whole = framed("first");
  const std::string second = framed("second");
  for (std::size_t bytes = 0; bytes < second.size(); ++bytes) {
    write(whole + second.substr(0, bytes));
    RecordReader reader(path_);
    std::string record;
    EXPECT_TRUE(reader.next(record));
    EXPECT_FALSE(reader.next(record)) << bytes;
    EXPECT_EQ(reader.end(), whole.size());
  }
}

TEST_F(RecordFile, EndsBeforeAFrameWithAChangedBit) {
  const std::string frame = framed("record");
  for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
    std::string damaged = frame;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    write(damaged);
    EXPECT_TRUE(records().empty()) << bit;
  }
}

TEST_F(RecordFile, AMissingFileIsNamed) {
  try {
    const RecordReader reader(path_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::resource);
    EXPECT_NE(std::string(error.what()).find(path_.string()), std::string::npos);
  }
}

}  // namespace
}  // namespace convoy
