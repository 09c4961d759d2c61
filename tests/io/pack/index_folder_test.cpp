// The index of other tools' shards: what packing would have computed, and refusals that name files.
#include "io/pack/index_folder.h"

#include <array>
#include <functional>

#include <gtest/gtest.h>

#include "io/dataset/dataset.h"
#include "io/files/hdf5.h"
#include "io/files/temporary_folder.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/chunked_shard.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t size = 20;
constexpr std::size_t image_bytes = size * size * 3;
constexpr std::size_t images = 12;

// The images of a packed dataset, of which tests write shards of their own into `foreign`.
class IndexFolderTest : public testing::Test {
 protected:
  IndexFolderTest() {
    fs::create_directory(foreign_);
    const auto file = hdf5::File::open(packed_ / "shard-00000.h5", ExitCode::bad_data);
    pixels_ = file.read<std::uint8_t>("/images");
    labels_ = file.read<std::int64_t>("/labels");
  }

  [[nodiscard]] Bytes pixels(std::size_t begin, std::size_t end) const {
    return {pixels_.begin() + static_cast<std::ptrdiff_t>(begin * image_bytes),
            pixels_.begin() + static_cast<std::ptrdiff_t>(end * image_bytes)};
  }
  [[nodiscard]] std::vector<std::int64_t> labels(std::size_t begin, std::size_t end) const {
    return {labels_.begin() + static_cast<std::ptrdiff_t>(begin),
            labels_.begin() + static_cast<std::ptrdiff_t>(end)};
  }
  // Contiguous, as h5py writes by default.
  template <typename Label>
  void write_plain(const std::string& name, std::size_t begin, std::size_t end,
                   const std::function<void(hdf5::File&)>& more = {}) const {
    hdf5::File file = hdf5::File::create(foreign_ / name);
    const auto count = static_cast<std::int64_t>(end - begin);
    const Bytes bytes = pixels(begin, end);
    std::vector<Label> values;
    for (const std::int64_t label : labels(begin, end)) values.push_back(static_cast<Label>(label));
    file.write("/images", {count, size, size, 3}, bytes.data());
    file.write("/labels", {count}, values.data());
    if (more) more(file);
    file.close();
  }
  void refused(ExitCode code, std::initializer_list<std::string> words,
               const fs::path& classes = {}) const {
    expect_error(code, words, [&] { index_folder({foreign_, classes}); });
    EXPECT_FALSE(fs::exists(foreign_ / "index.h5") && code != ExitCode::usage);
  }

  TemporaryFolder folder_;
  fs::path packed_ = small_dataset(folder_.path(), 3, 4, size);
  fs::path foreign_ = folder_.path() / "foreign";
  Bytes pixels_;
  std::vector<std::int64_t> labels_;
};

TEST_F(IndexFolderTest, KnowsWhatPackingWouldHaveKnown) {
  write_plain<std::int32_t>("b.h5", 7, images);
  write_chunked_shard(foreign_ / "a.h5", size, pixels(0, 7), labels(0, 7));
  const IndexReport report = index_folder({foreign_, {}});
  EXPECT_EQ(report.images, 12);
  EXPECT_EQ(report.shards, 2);
  EXPECT_EQ(report.classes, 3);

  const Dataset packed(packed_);
  const Dataset foreign(foreign_);
  EXPECT_EQ(foreign.mean_image(), packed.mean_image());
  EXPECT_EQ(foreign.mean_rgb(), packed.mean_rgb());
  EXPECT_EQ(foreign.pca().deviations, packed.pca().deviations);
  EXPECT_EQ(foreign.pca().vectors, packed.pca().vectors);
  EXPECT_EQ(foreign.class_counts(), packed.class_counts());
  EXPECT_EQ(foreign.classes()[2].name, "class-2");
  std::array<std::uint8_t, image_bytes> image{};
  for (std::size_t i = 0; i < images; ++i) {
    const auto sample = static_cast<std::int64_t>(i);
    foreign.read_crop(sample, 0, 0, size, image.data());
    EXPECT_TRUE(std::ranges::equal(image, pixels(i, i + 1)));
    EXPECT_EQ(foreign.label(sample), labels_[i]);
  }
}

TEST_F(IndexFolderTest, TakesClassNamesFromADataset) {
  write_plain<std::int32_t>("a.h5", 0, images);
  index_folder({foreign_, packed_});
  EXPECT_EQ(Dataset(foreign_).classes(), Dataset(packed_).classes());
}

// Shards of others have no checksums; the index has. What is still said is that they have no seal.
TEST_F(IndexFolderTest, DamageAfterwardsIsSeen) {
  write_plain<std::uint64_t>("a.h5", 0, images);
  index_folder({foreign_, {}});
  const auto offset =
      hdf5::File::open(foreign_ / "a.h5", ExitCode::bad_data).layout("/images").offset;
  Bytes bytes = read_bytes(foreign_ / "a.h5");
  bytes.at(static_cast<std::size_t>(*offset) + 4 * image_bytes + 7) ^= 1;
  write_bytes(foreign_ / "a.h5", bytes);
  testing::internal::CaptureStdout();
  const Dataset dataset(foreign_);
  const std::string said = testing::internal::GetCapturedStdout();
  EXPECT_NE(said.find("have no seal"), std::string::npos) << said;
  EXPECT_EQ(said.find("no checksums"), std::string::npos) << said;
  std::array<std::uint8_t, image_bytes> image{};
  dataset.read_crop(3, 0, 0, size, image.data());
  expect_error(ExitCode::bad_data, {"a.h5", "image 4", "damaged"},
               [&] { dataset.read_crop(4, 0, 0, size, image.data()); });
}

TEST_F(IndexFolderTest, RefusesWhatCannotBeADataset) {
  refused(ExitCode::bad_data, {foreign_.string(), "no .h5 files"});
  write_plain<std::int32_t>("a.h5", 0, 6);
  {
    hdf5::File file = hdf5::File::create(foreign_ / "b.h5");
    file.write("/images", {6, size, size, 3}, pixels_.data());
    file.close();
  }
  refused(ExitCode::bad_data, {"b.h5", "no /labels"});
  {
    hdf5::File file = hdf5::File::create(foreign_ / "b.h5");
    file.write("/images", {24, 10, 10, 3}, pixels_.data());
    const std::vector<std::int32_t> zeros(24, 0);
    file.write("/labels", {24}, zeros.data());
    file.close();
  }
  refused(ExitCode::bad_data, {"b.h5", "10 pixels", "a.h5", "of 20"});
  {
    hdf5::File file = hdf5::File::create(foreign_ / "b.h5");
    file.write("/images", {6, 3, size, size}, pixels_.data());
    file.write("/labels", {6}, labels_.data());
    file.close();
  }
  refused(ExitCode::bad_data, {"b.h5", "[6, 3, 20, 20]"});
  write_text(foreign_ / "b.h5", "no HDF5");
  refused(ExitCode::bad_data, {"b.h5"});
  fs::remove(foreign_ / "b.h5");
  write_text(folder_.path() / "classes.txt", "one\ntwo\n");
  refused(ExitCode::bad_data, {"a.h5", "2 classes"}, folder_.path() / "classes.txt");
  write_plain<std::int32_t>("c.h5", 6, images, [](hdf5::File& file) {
    const std::vector<std::uint32_t> wrong(6, 1);
    file.write("/crc32c", {6}, wrong.data());
  });
  refused(ExitCode::bad_data, {"c.h5", "image 0", "damaged"});
  write_plain<std::int64_t>("c.h5", 6, images);
  index_folder({foreign_, {}});
  refused(ExitCode::usage, {foreign_.string(), "has an index already"});
}

TEST_F(IndexFolderTest, RefusesLabelsThatNumberNoClasses) {
  labels_[3] = std::int64_t{1} << 40;
  write_plain<std::int64_t>("a.h5", 0, images);
  refused(ExitCode::bad_data, {"a.h5", "1099511627776"});
  labels_[3] = -1;
  write_plain<std::int64_t>("a.h5", 0, images);
  refused(ExitCode::bad_data, {"a.h5", "image 3", "-1"});
}

// Without its index it may be half a dataset, whose classes nobody knows.
TEST_F(IndexFolderTest, LeavesAnUnfinishedPackAlone) {
  fs::copy(packed_ / "shard-00000.h5", foreign_ / "shard-00000.h5");
  refused(ExitCode::bad_data, {"shard-00000.h5", "convoy pack"});
}

}  // namespace
}  // namespace convoy
