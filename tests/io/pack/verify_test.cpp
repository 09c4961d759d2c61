// Verifying a dataset: every fault is found, all of them are listed, and the sheet shows images.
#include "io/pack/verify.h"

#include <gtest/gtest.h>

#include "io/files/hdf5.h"
#include "io/files/temporary_folder.h"
#include "io/images/image.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class VerifyDataset : public testing::Test {
 protected:
  VerifyDataset() {
    (void)small_dataset(folder_.path(), 3, 8, 16);
    PackOptions packing;
    packing.input = folder_.path() / "images/train";
    packing.output = dataset_;
    packing.size = 16;
    packing.threads = 1;
    packing.shard_images = 6;
    pack(packing);
    options_.dataset = dataset_;
    options_.threads = 2;
  }
  // Flips a bit of image `row` of a shard.
  void damage_image(const std::string& shard, std::int64_t row) const {
    const fs::path path = dataset_ / shard;
    const auto offset = hdf5::File::open(path, ExitCode::bad_data).layout("/images").offset.value();
    Bytes bytes = read_bytes(path);
    bytes[static_cast<std::size_t>(offset + row * 16 * 16 * 3 + 5)] ^= 4;
    write_bytes(path, bytes);
  }

  TemporaryFolder folder_;
  fs::path dataset_ = folder_.path() / "dataset";
  VerifyOptions options_;
};

TEST_F(VerifyDataset, PassesAWholeOne) {
  const VerifyReport report = verify_dataset(options_);
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_THAT(report.notes, IsEmpty());
  EXPECT_EQ(report.images, 24);
  EXPECT_EQ(report.shards, 4);
  EXPECT_EQ(report.classes, 3);
}

TEST_F(VerifyDataset, ListsEveryFault) {
  damage_image("shard-00002.h5", 4);
  damage_image("shard-00002.h5", 1);
  fs::remove(dataset_ / "shard-00001.h5");
  fs::copy(folder_.path() / "packed/shard-00000.h5", dataset_ / "shard-00009.h5");
  write_text(dataset_ / "shard-00003.h5.partial", "half");
  const VerifyReport report = verify_dataset(options_);
  EXPECT_THAT(report.faults,
              ElementsAre(HasSubstr("shard-00001.h5: No such file"),
                          HasSubstr("shard-00002.h5: 2 of 6 images are damaged, the first is image "
                                    "1: its checksum"),
                          HasSubstr("shard-00009.h5 lies in the folder but is not in the index")));
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("shard-00003.h5.partial")));
  EXPECT_EQ(report.images, 18);
}

TEST_F(VerifyDataset, KnowsShardsOfAnotherPack) {
  fs::copy_file(dataset_ / "shard-00000.h5", dataset_ / "shard-00003.h5",
                fs::copy_options::overwrite_existing);
  const VerifyReport report = verify_dataset(options_);
  ASSERT_FALSE(report.faults.empty());
  EXPECT_THAT(report.faults[0], HasSubstr("shard-00003.h5 does not belong to this index"));
}

TEST_F(VerifyDataset, NeedsAnIndex) {
  fs::remove(dataset_ / "index.h5");
  expect_error(ExitCode::bad_data, {"not a dataset"}, [&] { (void)verify_dataset(options_); });
}

TEST_F(VerifyDataset, SheetShowsUndamagedImagesByLabel) {
  for (std::int64_t row = 0; row < 6; ++row) damage_image("shard-00000.h5", row);
  options_.sheet = folder_.path() / "sheet.png";
  options_.sheet_images = 7;
  const VerifyReport report = verify_dataset(options_);
  ASSERT_EQ(report.sheet.size(), 7u);
  EXPECT_EQ(report.sheet[6].row, 3);
  EXPECT_EQ(report.sheet[6].column, 1);
  const Image sheet = decode_image(read_bytes(options_.sheet)).image;
  EXPECT_EQ(sheet.width, 3 * 20 + 4);
  EXPECT_EQ(sheet.height, 3 * 20 + 4);
  EXPECT_EQ(sheet.pixels[0], 255);
  EXPECT_EQ(sheet.pixels.back(), 255);  // the last place is empty
  std::int32_t label = 0;
  for (const SheetImage& image : report.sheet) {
    EXPECT_LE(label, image.label);
    label = image.label;
    EXPECT_NE(image.shard, "shard-00000.h5");
    const auto shard = hdf5::File::open(dataset_ / image.shard, ExitCode::bad_data);
    const auto row = static_cast<std::size_t>(image.image);
    EXPECT_EQ(shard.read_strings("/ids").at(row), image.id);
    EXPECT_EQ(shard.read<std::int32_t>("/labels").at(row), image.label);
    const auto pixels = shard.read<std::uint8_t>("/images");
    const std::int64_t top = 4 + (image.row - 1) * 20;
    const std::int64_t left = 4 + (image.column - 1) * 20;
    for (const std::int64_t y : {0, 15}) {
      const auto from = pixels.begin() + (image.image * 16 + y) * 16 * 3;
      EXPECT_TRUE(std::equal(from, from + 16 * 3,
                             sheet.pixels.begin() + ((top + y) * sheet.width + left) * 3));
    }
  }
  options_.seed = 2;
  const VerifyReport other = verify_dataset(options_);
  bool differs = false;
  for (std::size_t i = 0; i < 7; ++i) differs = differs || other.sheet[i].id != report.sheet[i].id;
  EXPECT_TRUE(differs);
  options_.sheet_images = 1000;
  EXPECT_EQ(verify_dataset(options_).sheet.size(), 18u);
}

}  // namespace
}  // namespace convoy
