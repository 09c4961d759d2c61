// Synthetic images: the promised folders, the same bytes for the same seed.
#include "io/pack/synth.h"

#include <iterator>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/images/image.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

SynthOptions small(const fs::path& output) {
  SynthOptions options;
  options.output = output;
  options.classes = 10;
  options.train_images = 3;
  options.val_images = 2;
  options.width = 40;
  options.height = 30;
  return options;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(Synth, WritesTheFoldersOfPack) {
  const TemporaryFolder folder;
  synthesise(small(folder.path() / "images"));
  EXPECT_EQ(files_below(folder.path() / "images/train").size(), 30u);
  EXPECT_EQ(files_below(folder.path() / "images/val").size(), 20u);
  const auto classes = fs::directory_iterator(folder.path() / "images/val");
  EXPECT_EQ(std::distance(classes, fs::directory_iterator()), 10);
  const auto decoded = decode_image(read_bytes(folder.path() / "images/train/000-bars/00001.jpg"));
  EXPECT_NEAR(static_cast<double>(decoded.image.width), 40, 4);
  EXPECT_NEAR(static_cast<double>(decoded.image.height), 30, 3);
}

TEST(Synth, DependsOnTheSeedAlone) {
  const TemporaryFolder folder;
  SynthOptions other = small(folder.path() / "c");
  other.seed = 2;
  synthesise(small(folder.path() / "a"));
  synthesise(small(folder.path() / "b"));
  synthesise(other);
  const auto files = files_below(folder.path() / "a");
  ASSERT_EQ(files, files_below(folder.path() / "b"));
  for (const fs::path& file : files) {
    EXPECT_EQ(read_bytes(folder.path() / "a" / file), read_bytes(folder.path() / "b" / file));
    EXPECT_NE(read_bytes(folder.path() / "a" / file), read_bytes(folder.path() / "c" / file));
  }
}

TEST(Synth, RefusesWhatItCannotDo) {
  const TemporaryFolder folder;
  write_text(folder.path() / "used/file", "x");
  expect_error(ExitCode::usage, {"used", "exists"},
               [&] { synthesise(small(folder.path() / "used")); });
  const auto refused = [&](const std::string& word, auto change) {
    SynthOptions options = small(folder.path() / "new");
    change(options);
    expect_error(ExitCode::usage, {word}, [&] { synthesise(options); });
  };
  refused("classes", [](SynthOptions& options) { options.classes = 0; });
  refused("image", [](SynthOptions& options) { options.val_images = 0; });
  refused("width", [](SynthOptions& options) { options.width = 0; });
  refused("height", [](SynthOptions& options) { options.height = 100'000; });
}

}  // namespace
}  // namespace convoy
