// Features read back, and a file that is damaged or something else is refused.
#include "io/run/feature_file.h"

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

TEST(FeatureFile, ReadsBack) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f.h5";
  std::vector<float> values(3000 * 7);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 101);
  {
    FeatureWriter writer(path, {"abc", "def"}, 3000, 7);
    writer.write({0, 1000}, values.data());
    writer.write({1000, 3000}, values.data() + 7000);
    EXPECT_FALSE(std::filesystem::exists(path)) << "before it is finished";
    writer.finish();
  }
  const FeatureReader reader(path);
  EXPECT_EQ(reader.origin(), (FeatureOrigin{"abc", "def"}));
  EXPECT_EQ(reader.images(), 3000);
  EXPECT_EQ(reader.values(), 7);
  std::vector<float> read(2 * 7);
  reader.read({2998, 3000}, read.data());
  EXPECT_TRUE(std::equal(read.begin(), read.end(), values.end() - 14));
  double half = 0;
  for (std::size_t i = 7; i < 14; ++i) half += 0.5 * static_cast<double>(values[i] * values[i]);
  EXPECT_FLOAT_EQ(reader.half_squares()[1], static_cast<float>(half));
  expect_error(ExitCode::bad_data, {"features"}, [&] { reader.read({2999, 3001}, read.data()); });
}

TEST(FeatureFile, RefusesOthersAndDamage) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "f.h5";
  const std::vector<float> values(12, 1);
  FeatureWriter writer(path, {"a", "b"}, 4, 3);
  writer.write({0, 4}, values.data());
  writer.finish();
  Bytes bytes = read_bytes(path);
  bytes[bytes.size() / 2] ^= 1;
  write_bytes(path, bytes);
  expect_error(ExitCode::bad_data, {"f.h5"}, [&] { FeatureReader reader(path); });

  const auto checkpoint = folder.path() / "c.h5";
  CheckpointInfo info;
  info.image_size = 1;
  info.mean_image = {0, 0, 0};
  info.classes = {{"a", ""}};
  CheckpointWriter(checkpoint, info).finish();
  expect_error(ExitCode::bad_data, {"c.h5 is not a file of features"},
               [&] { FeatureReader reader(checkpoint); });
}

TEST(WeightsFingerprint, ChangesWithWeightsAndNotWithMomentum) {
  const TemporaryFolder folder;
  CheckpointInfo info;
  info.image_size = 1;
  info.mean_image = {0, 0, 0};
  info.classes = {{"a", ""}};
  const auto fingerprint = [&](float weight, float momentum) {
    const auto path = folder.path() / "c.h5";
    CheckpointWriter writer(path, info);
    writer.create("fc8", "weight", {1, 1, 1, 1});
    writer.write("fc8", "weight", {0, 1}, &weight);
    writer.create("fc8", "weight_velocity", {1, 1, 1, 1});
    writer.write("fc8", "weight_velocity", {0, 1}, &momentum);
    writer.finish();
    return weights_fingerprint(CheckpointReader(path));
  };
  EXPECT_EQ(fingerprint(1, 2), fingerprint(1, 3));
  EXPECT_NE(fingerprint(1, 2), fingerprint(2, 2));
  const std::string before = fingerprint(1, 2);
  info.mean_image = {0, 1, 0};
  EXPECT_NE(fingerprint(1, 2), before);
}

}  // namespace
}  // namespace convoy
