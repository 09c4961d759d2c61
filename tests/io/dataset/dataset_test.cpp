// Reading datasets: crops are exact, damage is found and named, shards made by others are read.
#include "io/dataset/dataset.h"

#include <thread>

#include <gtest/gtest.h>

#include "io/dataset/dataset_index.h"
#include "io/dataset/shard.h"
#include "io/files/crc32c.h"
#include "io/files/hdf5.h"
#include "io/files/seal.h"
#include "io/files/temporary_folder.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/chunked_shard.h"
#include "tests/io/support/direct_reads.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t size = 20;
constexpr std::int64_t image_bytes = size * size * 3;

// 12 images of 3 classes in one shard.
class DatasetTest : public testing::Test {
 protected:
  void expect_damaged(std::initializer_list<std::string> words) const {
    expect_error(ExitCode::bad_data, words, [&] { Dataset dataset(packed_); });
  }

  // What the shard holds, to be written again with a change.
  struct Content {
    std::vector<std::uint8_t> images;
    std::vector<std::int64_t> labels;
    std::vector<std::uint32_t> checksums;
  };
  [[nodiscard]] Content content() const {
    const auto file = hdf5::File::open(shard_, ExitCode::bad_data);
    return {file.read<std::uint8_t>("/images"), file.read<std::int64_t>("/labels"),
            file.read<std::uint32_t>("/crc32c")};
  }

  void flip_byte(std::int64_t image) const {
    const auto offset = hdf5::File::open(shard_, ExitCode::bad_data).layout("/images").offset;
    Bytes bytes = read_bytes(shard_);
    bytes.at(static_cast<std::size_t>(*offset + image * image_bytes + 7)) ^= 1;
    write_bytes(shard_, bytes);
  }

  TemporaryFolder folder_;
  fs::path packed_ = small_dataset(folder_.path(), 3, 4, size);
  fs::path shard_ = packed_ / "shard-00000.h5";
};

TEST_F(DatasetTest, CropsAreCutFromTheImage) {
  const Content all = content();
  for (const Verify verify : {Verify::first, Verify::always, Verify::never}) {
    const Dataset dataset(packed_, verify);
    for (const std::int64_t crop : {std::int64_t{1}, std::int64_t{13}, size}) {
      for (std::int64_t sample = 0; sample < dataset.size(); ++sample) {
        const std::int64_t top = (sample * 5) % (size - crop + 1);
        const std::int64_t left = (sample * 3) % (size - crop + 1);
        Bytes out(static_cast<std::size_t>(crop * crop * 3));
        dataset.read_crop(sample, top, left, crop, out.data());
        for (std::int64_t y = 0; y < crop; ++y) {
          for (std::int64_t i = 0; i < crop * 3; ++i) {
            const auto from = sample * image_bytes + ((top + y) * size + left) * 3 + i;
            ASSERT_EQ(out[static_cast<std::size_t>(y * crop * 3 + i)],
                      all.images[static_cast<std::size_t>(from)]);
          }
        }
      }
    }
  }
}

// Pixels go into the file past HDF5: shards that are nearly all pixels must not be taken for
// damaged while they are written.
TEST_F(DatasetTest, AShardMayHoldFewLargeImages) {
  for (const std::int64_t images : {1, 24}) {
    const TemporaryFolder folder;
    const Dataset dataset(small_dataset(folder.path(), images, 1, 256, images));
    ASSERT_EQ(dataset.size(), images);
    std::vector<std::uint8_t> pixels(256 * 256 * 3);
    const auto file = hdf5::File::open(folder.path() / "packed/shard-00000.h5", ExitCode::bad_data);
    file.read_rows("/images", {images - 1, images}, hdf5::Type::u8, pixels.data());
    EXPECT_EQ(crc32c(pixels.data(), pixels.size()),
              file.read<std::uint32_t>("/crc32c")[static_cast<std::size_t>(images - 1)]);
  }
}

TEST_F(DatasetTest, RefusesCropsOutsideTheImage) {
  const Dataset dataset(packed_);
  Bytes out(image_bytes);
  for (const auto& [sample, top, crop] :
       {std::tuple{0, 1, 20}, {0, -1, 5}, {12, 0, 5}, {0, 0, 0}}) {
    expect_error(ExitCode::usage, {"no crop"},
                 [&] { dataset.read_crop(sample, top, 0, crop, out.data()); });
  }
}

TEST_F(DatasetTest, IsReadByManyThreads) {
  const Dataset dataset(packed_);
  const Content all = content();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Bytes out(image_bytes);
      for (std::int64_t i = 0; i < 200; ++i) {
        const std::int64_t sample = i % dataset.size();
        dataset.read_crop(sample, 0, 0, size, out.data());
        EXPECT_TRUE(std::equal(out.begin(), out.end(), all.images.begin() + sample * image_bytes));
      }
    });
  }
}

TEST_F(DatasetTest, SaysHowToMakeAMissingIndex) {
  fs::remove(packed_ / "index.h5");
  expect_damaged({packed_.string(), "convoy pack", "convoy index"});
  fs::remove_all(packed_);
  expect_damaged({packed_.string(), "convoy pack"});
}

TEST_F(DatasetTest, RefusesAnIndexThatIsNone) {
  write_text(packed_ / "index.h5", "cat,dog\n");
  expect_damaged({"index.h5"});
  {
    hdf5::File file = hdf5::File::create(packed_ / "index.h5");
    file.close();
  }
  expect_damaged({"index.h5", "do not end with a seal"});
  seal_file(packed_ / "index.h5");
  expect_damaged({"index.h5", "not the index of a dataset"});
  {
    hdf5::File file = hdf5::File::create(packed_ / "index.h5");
    file.set("/", "format", std::string("convoy-dataset/9"));
    file.close();
  }
  seal_file(packed_ / "index.h5");
  expect_damaged({"index.h5", "convoy-dataset/9"});
}

TEST_F(DatasetTest, SeesDamageToTheIndex) {
  const Bytes whole = read_bytes(packed_ / "index.h5");
  for (std::size_t i = 0; i < whole.size(); i += 37) {
    Bytes damaged = whole;
    damaged[i] ^= 0x10;
    write_bytes(packed_ / "index.h5", damaged);
    expect_damaged({"index.h5", "seal"});
  }
}

// All of a shard but its pixels is known to be whole before HDF5 parses any of it.
TEST_F(DatasetTest, SeesDamageToAShardsStructure) {
  const Bytes whole = read_bytes(shard_);
  const auto offset = hdf5::File::open(shard_, ExitCode::bad_data).layout("/images").offset;
  const auto begin = static_cast<std::size_t>(*offset);
  const std::size_t end = begin + 12 * image_bytes;
  for (std::size_t i = 0; i < whole.size(); i += 13) {
    if (i >= begin && i < end) continue;
    Bytes damaged = whole;
    damaged[i] ^= 0x10;
    write_bytes(shard_, damaged);
    expect_damaged({shard_.string(), "seal"});
  }
}

TEST_F(DatasetTest, NamesAMissingOrForeignShard) {
  fs::remove(shard_);
  expect_damaged({shard_.string(), "No such file"});
  write_text(shard_, "no HDF5");
  expect_damaged({shard_.string()});
  {
    hdf5::File file = hdf5::File::create(shard_);
    file.close();
  }
  expect_damaged({shard_.string(), "no /images"});
  fs::copy_file(packed_ / "index.h5", shard_, fs::copy_options::overwrite_existing);
  expect_damaged({shard_.string(), "convoy-dataset/1"});
}

TEST_F(DatasetTest, SeesAShardCutShort) {
  const auto whole = fs::file_size(shard_);
  for (const auto bytes :
       {whole - 1, whole - 100, whole - 120, whole / 2, std::uintmax_t{100}, std::uintmax_t{0}}) {
    fs::resize_file(shard_, bytes);
    expect_damaged({shard_.string()});
  }
}

TEST_F(DatasetTest, ChecksTypesShapesAndLabels) {
  const Content all = content();
  const auto rewrite = [&](const std::function<void(hdf5::File&)>& images,
                           std::vector<std::int64_t> labels) {
    hdf5::File file = hdf5::File::create(shard_);
    images(file);
    file.write("/labels", {static_cast<std::int64_t>(labels.size())}, labels.data());
    file.close();
  };
  const auto right = [&](hdf5::File& file) {
    file.write("/images", {12, size, size, 3}, all.images.data());
  };
  rewrite(
      [&](hdf5::File& file) {
        file.create_dataset("/images", hdf5::Type::f32, {12, size, size, 3});
      },
      all.labels);
  expect_damaged({shard_.string(), "uint8"});
  rewrite(
      [&](hdf5::File& file) {
        file.create_dataset("/images", hdf5::Type::u8, {12, 3, size, size});
      },
      all.labels);
  expect_damaged({shard_.string(), "[12, 3, 20, 20]", "[12, 20, 20, 3]"});
  rewrite(
      [&](hdf5::File& file) {
        file.create_dataset("/images", hdf5::Type::u8, {11, size, size, 3});
      },
      all.labels);
  expect_damaged({shard_.string(), "[11, 20, 20, 3]"});
  std::vector<std::int64_t> labels = all.labels;
  labels.pop_back();
  rewrite(right, labels);
  expect_damaged({shard_.string(), "/labels", "12"});
  for (const std::int64_t label : {std::int64_t{3}, std::int64_t{-1}, std::int64_t{1} << 40}) {
    labels = all.labels;
    labels[5] = label;
    rewrite(right, labels);
    expect_damaged({shard_.string(), "image 5", "3 classes", std::to_string(label)});
  }
  labels = all.labels;
  labels[5] = (labels[5] + 1) % 3;  // in range, but not what was packed
  rewrite(right, labels);
  expect_damaged({packed_.string(), "images of", "the index says 4"});
}

TEST_F(DatasetTest, SeesShardsOfAnotherDataset) {
  const fs::path other = small_dataset(folder_.path() / "other", 3, 4, size);
  Bytes bytes = read_bytes(other / "shard-00000.h5");
  write_bytes(shard_, bytes);
  EXPECT_EQ(Dataset(packed_).size(), 12);  // the same images: the same shard
  const auto layout = hdf5::File::open(shard_, ExitCode::bad_data).layout("/crc32c");
  bytes.at(static_cast<std::size_t>(*layout.offset)) ^= 1;
  write_bytes(shard_, bytes);
  fs::resize_file(shard_, bytes.size() - 128);  // without its seal, which would not fit any more
  expect_damaged({shard_.string(), "does not belong"});
}

TEST_F(DatasetTest, SeesAFlippedPixelAtItsFirstRead) {
  flip_byte(4);
  Bytes out(image_bytes);
  for (const Verify verify : {Verify::first, Verify::always}) {
    const Dataset dataset(packed_, verify);
    dataset.read_crop(3, 0, 0, 5, out.data());
    expect_error(ExitCode::bad_data, {shard_.string(), "image 4", "damaged"},
                 [&] { dataset.read_crop(4, 12, 12, 5, out.data()); });
  }
  Dataset(packed_, Verify::never).read_crop(4, 0, 0, size, out.data());
}

TEST_F(DatasetTest, ChecksEveryReadOnlyWhenAskedTo) {
  const Dataset first(packed_, Verify::first);
  const Dataset always(packed_, Verify::always);
  Bytes out(image_bytes);
  first.read_crop(4, 0, 0, 5, out.data());
  always.read_crop(4, 0, 0, 5, out.data());
  const auto offset = hdf5::File::open(shard_, ExitCode::bad_data).layout("/images").offset;
  std::fstream file(shard_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(*offset + 4 * image_bytes + 7);
  file.put('\x7F');
  file.close();
  first.read_crop(4, 0, 0, 5, out.data());
  expect_error(ExitCode::bad_data, {"image 4"}, [&] { always.read_crop(4, 0, 0, 5, out.data()); });
}

// Pages that were mapped and are gone; on several threads, and again and again.
TEST_F(DatasetTest, NamesAFileThatShrinksWhileInUse) {
  const Dataset dataset(packed_, Verify::never);
  Bytes whole(image_bytes);
  dataset.read_crop(2, 0, 0, size, whole.data());
  fs::resize_file(shard_, 100);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      Bytes out(image_bytes);
      for (int again = 0; again < 3; ++again) {
        expect_error(ExitCode::bad_data, {shard_.string(), "image 2", "became shorter"},
                     [&] { dataset.read_crop(2, 0, 0, 5, out.data()); });
      }
    });
  }
}

TEST_F(DatasetTest, ReadsCompressedShardsOfOthers) {
  const Content all = content();
  write_chunked_shard(shard_, size, all.images, all.labels);
  testing::internal::CaptureStdout();
  const Dataset dataset(packed_);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_THAT(said, testing::HasSubstr("read through HDF5"));
  EXPECT_THAT(said, testing::HasSubstr("shard-00000.h5 is the first"));
  EXPECT_THAT(said, testing::HasSubstr("no checksums"));
  EXPECT_THAT(said, testing::HasSubstr("no seal"));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      Bytes out(13 * 13 * 3);
      for (std::int64_t sample = 0; sample < 12; ++sample) {
        dataset.read_crop(sample, 2, 3, 13, out.data());
        EXPECT_EQ(dataset.label(sample), all.labels[static_cast<std::size_t>(sample)]);
        EXPECT_EQ(out[13 * 3],
                  all.images[static_cast<std::size_t>(sample * image_bytes + (3 * size + 3) * 3)]);
      }
    });
  }
}

TEST_F(DatasetTest, ReadsPastThePageCacheOrSaysThatItCannot) {
  if (!reads_directly(shard_)) {
    expect_error(ExitCode::usage, {shard_.string(), "--data.read cached"},
                 [&] { Dataset dataset(packed_, Verify::first, ReadMode::direct); });
    return;
  }
  const Content all = content();
  const Dataset dataset(packed_, Verify::first, ReadMode::direct);
  Bytes out(static_cast<std::size_t>(image_bytes));
  for (std::int64_t sample = 0; sample < dataset.size(); ++sample) {
    for (int again = 0; again < 2; ++again) {  // whole and checked, then the crop alone
      dataset.read_crop(sample, 1, 2, 13, out.data());
      EXPECT_TRUE(std::equal(out.begin(), out.begin() + 13 * 3,
                             all.images.begin() + sample * image_bytes + (size + 2) * 3));
    }
    dataset.read_crop(sample, 0, 0, size, out.data());
    EXPECT_TRUE(std::equal(out.begin(), out.end(), all.images.begin() + sample * image_bytes));
  }
  fs::resize_file(shard_, 4096);
  expect_error(ExitCode::bad_data, {shard_.string(), "image 11", "became shorter"},
               [&] { dataset.read_crop(11, 0, 0, 5, out.data()); });
}

TEST_F(DatasetTest, RefusesToReadCompressedShardsPastThePageCache) {
  const Content all = content();
  write_chunked_shard(shard_, size, all.images, all.labels);
  expect_error(ExitCode::usage, {shard_.string(), "chunked or compressed", "--data.read cached"},
               [&] { Dataset dataset(packed_, Verify::first, ReadMode::direct); });
}

}  // namespace
}  // namespace convoy
