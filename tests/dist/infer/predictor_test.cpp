// What a net says about image files is what its evaluation counts on the same images packed.
#include "dist/infer/predictor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dist/infer/features.h"
#include "dist/infer/predict.h"
#include "io/files/temporary_folder.h"
#include "io/read/square_reader.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// A dataset, and a net that was trained on it for some steps; all on rank 0, in a world of its own.
class PredictorTest : public testing::Test {
 protected:
  PredictorTest() : world_(test_world().part(test_world().rank())) {
    if (!leader()) return;
    folder_ = std::make_unique<TemporaryFolder>();
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    packed_ = small_dataset(folder_->path(), 4, 5, 80);
    job_ = small_job();
    job_.model.classes = 0;
    job_.solver.lr = 0.01;
    job_.data.train = packed_;
    job_.run.dir = folder_->path() / "run";
    job_.run.steps = 4;
    checkpoint_ = train(*world_, job_).checkpoint;
    testing::internal::GetCapturedStderr();
    testing::internal::GetCapturedStdout();
  }
  ~PredictorTest() override { test_world().split(0)->barrier("end of a test"); }

  static bool leader() { return test_world().rank() == 0; }

  [[nodiscard]] PredictOptions options(int views) const {
    PredictOptions options;
    options.files = list_image_files({folder_->path() / "images" / "train"});
    options.views = views;
    options.batch = 7;  // 20 images are no multiple of it
    options.threads = 3;
    options.job = job_;
    return options;
  }

  // The checkpoint with other weights and biases in conv2.
  [[nodiscard]] fs::path with_conv2(const std::string& name,
                                    const std::function<void(std::vector<float>&)>& change) const {
    const CheckpointReader reader(checkpoint_);
    CheckpointWriter writer(folder_->path() / name, reader.info());
    for (const CheckpointReader::Entry& entry : reader.entries()) {
      std::vector<float> values(static_cast<std::size_t>(entry.shape.count()));
      reader.read(entry.layer, entry.kind, entry.shape, {0, entry.shape.n}, values.data());
      if (entry.layer == "conv2") change(values);
      writer.create(entry.layer, entry.kind, entry.shape);
      writer.write(entry.layer, entry.kind, {0, entry.shape.n}, values.data());
    }
    writer.finish();
    return folder_->path() / name;
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<TemporaryFolder> folder_;
  fs::path packed_;
  fs::path checkpoint_;
  JobOptions job_;
};

TEST_F(PredictorTest, AgreesWithEvaluation) {
  if (!leader()) return;
  const CheckpointReader reader(checkpoint_);
  for (const int views : {1, 10}) {
    EvalOptions evaluation;
    evaluation.checkpoint = checkpoint_;
    evaluation.data = packed_;
    evaluation.views = views;
    evaluation.job = job_;
    evaluation.job.solver.batch = 20;
    testing::internal::CaptureStderr();
    const EvalResult expected = evaluate_checkpoint(*world_, evaluation);
    testing::internal::GetCapturedStderr();

    double loss = 0;
    std::int64_t top1 = 0;
    std::vector<std::string> order;
    predict(*world_, reader, options(views), [&](const Prediction& prediction) {
      ASSERT_EQ(prediction.error, "");
      order.push_back(prediction.file.string());
      const std::string name = prediction.file.parent_path().filename().string();
      std::size_t label = 0;
      while (reader.info().classes[label].name != name) ++label;
      const auto p = prediction.probabilities;
      EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-5);
      loss -= std::log(static_cast<double>(p[label]));
      top1 += std::ranges::max_element(p) - p.begin() == static_cast<std::ptrdiff_t>(label) ? 1 : 0;
    });
    EXPECT_EQ(order.size(), 20u);
    EXPECT_TRUE(std::ranges::is_sorted(order));
    EXPECT_NEAR(loss / 20, expected.loss, 1e-6 * expected.loss);
    EXPECT_EQ(static_cast<double>(top1) / 20, expected.top1);
  }
}

TEST_F(PredictorTest, GoesOnAfterFilesThatAreNoImages) {
  if (!leader()) return;
  PredictOptions all = options(1);
  std::vector<float> alone;
  predict(*world_, CheckpointReader(checkpoint_), all, [&](const Prediction& prediction) {
    if (prediction.file == all.files[9])
      alone.assign(prediction.logits.begin(), prediction.logits.end());
  });
  write_text(folder_->path() / "text.jpg", "no image");
  PredictOptions some = options(1);
  some.files = {folder_->path() / "absent.jpg", all.files[9], folder_->path() / "text.jpg"};
  std::vector<std::string> said;
  predict(*world_, CheckpointReader(checkpoint_), some, [&](const Prediction& prediction) {
    said.push_back(prediction.error);
    if (!prediction.error.empty()) return;
    ASSERT_EQ(prediction.logits.size(), alone.size());
    for (std::size_t c = 0; c < alone.size(); ++c)
      EXPECT_NEAR(prediction.logits[c], alone[c], 1e-5 * (1 + std::abs(alone[c])));
  });
  EXPECT_THAT(said, testing::ElementsAre("cannot be read: No such file or directory", "",
                                         "is neither JPEG nor PNG data"));
}

TEST_F(PredictorTest, FeaturesAreThoseOfEachImage) {
  if (!leader()) return;
  const CheckpointReader reader(checkpoint_);
  const Dataset dataset(packed_);
  Predictor predictor(*world_, reader, job_, 6, 1);
  ASSERT_EQ(predictor.features(), 48);
  const fs::path path = folder_->path() / "features.h5";
  testing::internal::CaptureStderr();
  write_features(predictor, dataset, job_.data, {"w", "d"}, path);
  testing::internal::GetCapturedStderr();
  const FeatureReader features(path);
  ASSERT_EQ(features.images(), 20);

  // The last layer on top of them gives the logits.
  const std::int64_t last = 19;
  std::vector<std::uint8_t> square(80 * 80 * 3);
  dataset.read_crop(last, 0, 0, 80, square.data());
  predictor.place(2, square);
  predictor.run();
  std::vector<float> row(48);
  features.read({last, last + 1}, row.data());
  std::vector<float> weights(4 * 48);
  std::vector<float> bias(4);
  reader.read("fc8", "weight", {4, 1, 1, 48}, {0, 4}, weights.data());
  reader.read("fc8", "bias", {4, 1, 1, 1}, {0, 4}, bias.data());
  for (std::size_t c = 0; c < 4; ++c) {
    double logit = bias[c];
    for (std::size_t i = 0; i < 48; ++i)
      logit += static_cast<double>(weights[48 * c + i]) * static_cast<double>(row[i]);
    EXPECT_NEAR(predictor.logits(2)[c], logit, 1e-5);
  }
}

TEST_F(PredictorTest, SaysThatANetMakesNoNumbers) {
  if (!leader()) return;
  const fs::path huge = with_conv2("huge.h5", [](std::vector<float>& values) {
    for (float& value : values) value *= 1e37F;
  });
  const CheckpointReader reader(huge);
  const auto refused = [](const std::function<void()>& run) {
    testing::internal::CaptureStderr();
    expect_error(ExitCode::bad_checkpoint, {"huge.h5 makes NaN or infinity of an image"}, run);
    testing::internal::GetCapturedStderr();
  };
  for (const int views : {1, 10})
    refused([&] { predict(*world_, reader, options(views), [](const Prediction&) {}); });
  refused([&] {
    Predictor predictor(*world_, reader, job_, 6, 1);
    write_features(predictor, Dataset(packed_), job_.data, {"w", "d"}, folder_->path() / "f.h5");
  });
  EXPECT_FALSE(fs::exists(folder_->path() / "f.h5"));
  EvalOptions evaluation{huge, packed_, 1, job_};
  evaluation.job.solver.batch = 20;
  for (const int views : {1, 10}) {
    evaluation.views = views;
    refused([&] { static_cast<void>(evaluate_checkpoint(*world_, evaluation)); });
  }
}

TEST_F(PredictorTest, RefusesWhatDoesNotFit) {
  if (test_world().size() > 1) {
    expect_error(ExitCode::usage, {"one rank is enough"}, [&] {
      const auto everyone = test_world().part(0);
      TemporaryFolder folder;
      const fs::path path = folder.path() / "c.h5";
      CheckpointInfo info;
      info.classes = {{"a", ""}};
      info.image_size = 1;
      info.mean_image = {0, 0, 0};
      CheckpointWriter(path, info).finish();
      Predictor(*everyone, CheckpointReader(path), small_job(), 1, 1);
    });
  }
  if (!leader()) return;
  const CheckpointReader reader(checkpoint_);
  JobOptions wider = job_;
  wider.model.neurons = {64, 56};
  expect_error(ExitCode::bad_checkpoint, {"fc8", "shape"},
               [&] { Predictor(*world_, reader, wider, 1, 1); });
  JobOptions fewer = job_;
  fewer.model.classes = 3;
  expect_error(ExitCode::bad_checkpoint, {"names 4 classes", "3 apart"},
               [&] { Predictor(*world_, reader, fewer, 1, 1); });

  const auto outputs = [&](std::int64_t classes) {
    JobOptions job = job_;
    job.model.classes = classes;
    return outputs_of(reader, job);
  };
  EXPECT_EQ(outputs(0), 4);
  EXPECT_EQ(outputs(10), 10);

  const fs::path nan = with_conv2("nan.h5", [](std::vector<float>& values) {
    values.back() = std::numeric_limits<float>::quiet_NaN();
  });
  expect_error(ExitCode::bad_checkpoint, {"nan.h5 holds NaN or infinity", "conv2"},
               [&] { Predictor(*world_, CheckpointReader(nan), job_, 1, 1); });
}

}  // namespace
}  // namespace convoy
