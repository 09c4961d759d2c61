// Shards of JPEG files: decoded crops are exact, and every kind of damage names shard and image.
#include <array>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "io/dataset/dataset.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/shard.h"
#include "io/files/crc32c.h"
#include "io/files/hdf5.h"
#include "io/files/temporary_folder.h"
#include "io/images/image.h"
#include "tests/io/support/direct_reads.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t size = 24;
constexpr std::int64_t image_bytes = size * size * 3;

Bytes coloured(int side, int number) {
  Bytes pixels = ramp_pixels(side, side);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(value / 2 + 13 * number);
  return jpeg_file(pixels, side, side);
}

// Five images of one class, whose files tests exchange before they write the dataset.
class JpegShardTest : public testing::Test {
 protected:
  JpegShardTest() {
    for (int i = 0; i < 5; ++i) files_.push_back(coloured(static_cast<int>(size), i));
  }

  // Checksums are right unless `more` changes what is written.
  struct Written {
    Bytes bytes;
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint32_t> checksums;
    std::string encoding = "jpeg";
  };
  void write(const std::function<void(Written&)>& change = {}) {
    Written written;
    for (const Bytes& file : files_) {
      written.bytes.insert(written.bytes.end(), file.begin(), file.end());
      written.offsets.push_back(written.bytes.size());
      written.checksums.push_back(crc32c(file.data(), file.size()));
    }
    if (change) change(written);
    const auto images = static_cast<std::int64_t>(files_.size());
    const std::vector<std::int32_t> labels(files_.size(), 0);
    hdf5::File file = hdf5::File::create(shard_);
    file.set("/", "format", std::string("convoy-shard/1"));
    file.set("/", "encoding", written.encoding);
    file.write("/bytes", {static_cast<std::int64_t>(written.bytes.size())}, written.bytes.data());
    file.write("/offsets", {static_cast<std::int64_t>(written.offsets.size())},
               written.offsets.data());
    file.write("/labels", {images}, labels.data());
    file.write("/crc32c", {images}, written.checksums.data());
    file.close();

    DatasetIndex index;
    index.image_size = size;
    index.encoding = Encoding::jpeg;
    index.classes = {{"one", ""}};
    index.class_counts = {images};
    index.mean_image.assign(image_bytes, 0);
    index.shards = {{"shard-00000.h5", images, shard_checksum(written.checksums, labels)}};
    write_index(folder_.path(), index);
  }

  void refused_at_opening(std::initializer_list<std::string> words) const {
    expect_error(ExitCode::bad_data, words, [&] { Dataset dataset(folder_.path()); });
  }
  // Image 2 cannot be read, the others can.
  void refused_at_reading(std::initializer_list<std::string> words,
                          Verify verify = Verify::first) const {
    const Dataset dataset(folder_.path(), verify);
    Bytes out(image_bytes);
    for (const std::int64_t sample : {0, 1, 2, 3, 4}) {
      const auto read = [&] { dataset.read_crop(sample, 1, 1, 5, out.data()); };
      if (sample == 2) {
        expect_error(ExitCode::bad_data, words, read);
      } else {
        EXPECT_NO_THROW(read());
      }
    }
  }

  TemporaryFolder folder_;
  fs::path shard_ = folder_.path() / "shard-00000.h5";
  std::vector<Bytes> files_;
};

TEST_F(JpegShardTest, CropsAreCutFromTheDecodedImage) {
  write();
  for (const ReadMode mode : {ReadMode::cached, ReadMode::direct}) {
    if (mode == ReadMode::direct && !reads_directly(shard_)) continue;
    const Dataset dataset(folder_.path(), Verify::first, mode);
    EXPECT_EQ(dataset.encoding(), Encoding::jpeg);
    std::vector<std::jthread> threads;
    for (std::int64_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        Bytes out(13 * 13 * 3);
        for (std::int64_t i = 0; i < 40; ++i) {
          const std::int64_t sample = (i / 2 + t) % 5;  // twice in a row: decoded once
          const Bytes whole = decode_image(files_[static_cast<std::size_t>(sample)]).image.pixels;
          dataset.read_crop(sample, i % 11, 4, 13, out.data());
          for (std::int64_t y = 0; y < 13; ++y) {
            ASSERT_TRUE(std::equal(out.begin() + y * 39, out.begin() + (y + 1) * 39,
                                   whole.begin() + ((i % 11 + y) * size + 4) * 3));
          }
        }
      });
    }
  }
}

// A thread remembers what it decoded last; another dataset must not get that.
TEST_F(JpegShardTest, DatasetsDoNotMix) {
  write();
  Bytes first(image_bytes);
  Bytes second(image_bytes);
  Dataset(folder_.path()).read_crop(1, 0, 0, size, first.data());
  std::swap(files_[1], files_[3]);
  write();
  Dataset(folder_.path()).read_crop(1, 0, 0, size, second.data());
  EXPECT_NE(first, second);
}

TEST_F(JpegShardTest, SeesChangedBytesBeforeItDecodesThem) {
  write([](Written& w) { w.bytes[w.offsets[2] + 100] ^= 4; });
  refused_at_reading({shard_.string(), "image 2", "damaged"});
}

TEST_F(JpegShardTest, RefusesBytesThatDoNotDecode) {
  const std::size_t bytes = files_[2].size();
  files_[2] = Bytes(bytes, 7);
  write();
  refused_at_reading({shard_.string(), "image 2", "cannot be decoded"});
  files_[2] = coloured(static_cast<int>(size), 2);
  files_[2].resize(bytes / 2);  // cut short before it was stored
  write();
  refused_at_reading({shard_.string(), "image 2", "cannot be decoded"});
  refused_at_reading({shard_.string(), "image 2", "cannot be decoded"}, Verify::never);
}

TEST_F(JpegShardTest, RefusesImagesOfAnotherSize) {
  files_[2] = coloured(25, 2);
  write();
  refused_at_reading({shard_.string(), "image 2", "25 x 25", "24 x 24"});
}

TEST_F(JpegShardTest, RefusesDamagedOffsets) {
  write([](Written& w) { w.offsets[0] = 1; });
  refused_at_opening({shard_.string(), "image 0", "offsets"});
  write([](Written& w) { w.offsets[3] = w.offsets[2]; });
  refused_at_opening({shard_.string(), "image 2", "offsets"});
  write([](Written& w) { w.offsets[3] = ~std::uint64_t{0}; });
  refused_at_opening({shard_.string(), "image 3", "offsets"});
  write([](Written& w) { ++w.offsets.back(); });
  refused_at_opening({shard_.string(), "image 4", "offsets"});
  write([](Written& w) { w.offsets.pop_back(); });
  refused_at_opening({shard_.string(), "/offsets", "6 integers"});
}

TEST_F(JpegShardTest, RefusesAnotherEncodingThanTheIndexSays) {
  write([](Written& w) { w.encoding = "raw"; });
  refused_at_opening({shard_.string(), "'raw'", "'jpeg'"});
  write([](Written& w) { w.encoding = "webp"; });
  refused_at_opening({shard_.string(), "'webp'", "'jpeg'"});
}

TEST_F(JpegShardTest, SeesAShardCutShort) {
  write();
  fs::resize_file(shard_, fs::file_size(shard_) - 1);
  refused_at_opening({shard_.string()});
}

}  // namespace
}  // namespace convoy
