// Image files come in order, as packing would store them, and damage to one is only its own.
#include "io/read/square_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/dataset/dataset.h"
#include "io/files/temporary_folder.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

TEST(ListImageFiles, TakesFilesAsTheyAreAndFoldersWithAllBelow) {
  const TemporaryFolder folder;
  const fs::path base = folder.path();
  for (const char* name : {"b/2.jpg", "b/1.png", "a/x/3.jpg", "a/.hidden.jpg", ".git/4.jpg"})
    write_text(base / name, "x");
  fs::create_directories(base / "none");
  EXPECT_THAT(list_image_files({base / "b" / "2.jpg", base / "no-such.jpg", base}),
              ElementsAre(base / "b" / "2.jpg", base / "no-such.jpg", base / "a" / "x" / "3.jpg",
                          base / "b" / "1.png", base / "b" / "2.jpg"));
  EXPECT_THAT(list_image_files({base / "none", base / "a"}),
              ElementsAre(base / "none", base / "a" / "x" / "3.jpg"));
}

TEST(ListImageFiles, VisitsEachFolderOnceThroughLinks) {
  const TemporaryFolder folder;
  const fs::path base = folder.path() / "base";
  write_text(base / "b/1.jpg", "x");
  write_text(folder.path() / "far/2.jpg", "x");
  fs::create_directory_symlink("..", base / "b" / "up");
  fs::create_directory_symlink(".", base / "a");
  fs::create_directory_symlink("../far", base / "c");
  fs::create_directory_symlink("../far", base / "d");
  fs::create_symlink("nothing", base / "e.jpg");
  fs::create_symlink("f.jpg", base / "f.jpg");
  EXPECT_THAT(list_image_files({base}), ElementsAre(base / "b" / "1.jpg", base / "c" / "2.jpg",
                                                    base / "e.jpg", base / "f.jpg"));
}

TEST(ListImageFiles, NamesTheFolderThatCannotBeReadAndGoesOn) {
  const TemporaryFolder folder;
  write_text(folder.path() / "a/1.jpg", "x");
  write_text(folder.path() / "b/2.jpg", "x");
  fs::permissions(folder.path(), fs::perms{0755});
  fs::permissions(folder.path() / "a", fs::perms::none);
  const bool root = geteuid() == 0;  // who may read everything
  ASSERT_EQ(root ? seteuid(65534) : 0, 0);
  const auto files = list_image_files({folder.path()});
  SquareReader reader(files, 6, 1, 1);
  const std::string error = reader.next().error;
  ASSERT_EQ(root ? seteuid(0) : 0, 0);
  EXPECT_THAT(files, ElementsAre(folder.path() / "a", folder.path() / "b" / "2.jpg"));
  EXPECT_EQ(error, "cannot be read: Permission denied");
  fs::permissions(folder.path() / "a", fs::perms::owner_all);
}

TEST(SquareReader, GivesWhatPackingStores) {
  const TemporaryFolder folder;
  testing::internal::CaptureStderr();
  const Dataset dataset(small_dataset(folder.path(), 3, 5, 40));
  testing::internal::GetCapturedStderr();
  const auto files = list_image_files({folder.path() / "images" / "train"});
  ASSERT_EQ(std::ssize(files), dataset.size());
  std::vector<std::vector<std::uint8_t>> stored(files.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    stored[i].resize(40 * 40 * 3);
    dataset.read_crop(static_cast<std::int64_t>(i), 0, 0, 40, stored[i].data());
  }
  for (const int threads : {1, 4}) {
    SquareReader reader(files, 40, threads, 2);
    std::size_t found = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      const ReadSquare read = reader.next();
      EXPECT_EQ(read.index, static_cast<std::int64_t>(i));
      EXPECT_EQ(read.error, "");
      // Packing shuffles: the same squares, elsewhere.
      found += std::ranges::count_if(
          stored, [&](const auto& one) { return std::ranges::equal(one, read.pixels); });
    }
    EXPECT_EQ(found, files.size());
    expect_error(ExitCode::usage, {"all 15 images"}, [&] { static_cast<void>(reader.next()); });
  }
}

TEST(SquareReader, SaysWhatIsWrongWithAFileAndGoesOn) {
  const TemporaryFolder folder;
  const fs::path base = folder.path();
  write_bytes(base / "good.png",
              png_file(constant_pixels(9, 8, {10, 20, 30}), 9, 8, PNG_FORMAT_RGB));
  Bytes cut = jpeg_file(ramp_pixels(64, 64), 64, 64);
  cut.resize(cut.size() / 2);
  write_bytes(base / "cut.jpg", cut);
  write_text(base / "empty.jpg", "");
  fs::create_directory(base / "none");
  SquareReader reader({base / "cut.jpg", base / "good.png", base / "empty.jpg", base / "none"}, 6,
                      2, 1);
  EXPECT_THAT(reader.next().error, testing::StartsWith("is cut short"));
  const ReadSquare good = reader.next();
  EXPECT_EQ(good.error, "");
  EXPECT_THAT(std::vector<int>(good.pixels.begin(), good.pixels.begin() + 3),
              ElementsAre(10, 20, 30));
  EXPECT_EQ(reader.next().error, "is empty");
  EXPECT_EQ(reader.next().error, "is a folder without files");
}

TEST(SquareReader, EndsWhileThreadsRead) {
  const TemporaryFolder folder;
  write_bytes(folder.path() / "a.jpg", jpeg_file(ramp_pixels(300, 300), 300, 300));
  const std::vector<fs::path> files(50, folder.path() / "a.jpg");
  SquareReader reader(files, 100, 3, 4);
  EXPECT_EQ(reader.next().error, "");
}

}  // namespace
}  // namespace convoy
