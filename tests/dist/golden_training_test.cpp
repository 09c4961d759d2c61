// 30 steps of the recipes of alexnet-pytorch against PyTorch in double precision
// (tests/golden/make_training.py): preprocessing, passes and both optimisers together.
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "core/recipe.h"
#include "dist/step/input_feed.h"
#include "dist/step/session.h"
#include "dist/step/step_runner.h"
#include "io/files/hdf5.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

const std::filesystem::path kFile =
    std::filesystem::path(CONVOY_GOLDEN_FOLDER) / "training/alexnet_pytorch.h5";

JobOptions small_job(const std::string& name, const std::string& conv, const hdf5::File& file) {
  const Recipe& recipe = find_recipe(name);
  JobOptions job;
  job.recipe = name;
  job.model = recipe.model;
  job.solver = recipe.solver;
  job.preprocess = recipe.preprocess;
  job.model.input = file.integer("/", "input");
  job.model.classes = file.integer("/", "classes");
  job.model.drop = 0;
  const auto rows = [&](const std::string& layer) {
    return file.layout("/parameters/" + layer + "/bias").extents[0];
  };
  for (std::size_t i = 0; i < 5; ++i) job.model.kernels[i] = rows("conv" + std::to_string(i + 1));
  for (std::size_t i = 0; i < 2; ++i) job.model.neurons[i] = rows("fc" + std::to_string(i + 6));
  job.solver.batch = file.layout("/labels").extents[1];
  job.device = {"cpu", 1, conv};
  return job;
}

void load_parameters(Session& session, const hdf5::File& file) {
  for (const Parameter* p : session.network().parameters()) {
    const auto values = file.read<float>("/parameters/" + p->layer + '/' + p->kind);
    ASSERT_EQ(static_cast<std::int64_t>(values.size()), p->value.count()) << p->layer;
    session.device().copy_to_device(p->value.data, values.data(), p->value.bytes(),
                                    session.stream());
    session.stream().synchronize();
  }
  session.network().refresh_working(session.stream());
}

void expect_losses(const std::string& recipe, const std::string& losses, const std::string& conv) {
  const hdf5::File file = hdf5::File::open(kFile, ExitCode::bad_data);
  const JobOptions job = small_job(recipe, conv, file);
  const auto alone = test_world().part(test_world().rank());
  Session session(*alone, job);
  load_parameters(session, file);
  InputFeed feed(session, job.preprocess, std::vector<float>(3), 1);
  StepRunner runner(session, job);

  const auto pixels = file.read<std::uint8_t>("/pixels");
  const auto labels = file.read<std::int32_t>("/labels");
  const auto torch = file.read<double>(losses);
  ASSERT_EQ(torch.size(), 30u);
  const auto images = static_cast<std::size_t>(job.solver.batch);
  const std::size_t batches = labels.size() / images;
  const std::size_t batch_bytes = pixels.size() / batches;
  const std::vector<CropRecord> records(images);
  for (std::size_t step = 0; step < torch.size(); ++step) {
    const std::size_t batch = step % batches;
    const auto at = static_cast<std::int64_t>(step);
    feed.upload({at, pixels.data() + batch * batch_bytes, labels.data() + batch * images, records});
    runner.begin(feed, false, {at, 0, 1, 0});
    const LossSums sums = runner.finish().sums;
    EXPECT_NEAR(sums.loss / static_cast<double>(sums.images) / torch[step], 1, 1e-4)
        << recipe << ", convolutions " << conv << ", step " << step + 1;
  }
}

// Adam makes a full step of a gradient of any size, so those that are 0 have to be exactly that.
TEST(GoldenTraining, LossesOfThirtyStepsAgreeWithPyTorchUnderAdam) {
  for (const char* conv : {"direct", "minimal"})
    expect_losses("alexnet-pytorch", "/losses/adam", conv);
}

TEST(GoldenTraining, LossesOfThirtyStepsAgreeWithPyTorchUnderSgd) {
  for (const char* conv : {"direct", "minimal"})
    expect_losses("alexnet-pytorch-sgd", "/losses/sgd", conv);
}

}  // namespace
}  // namespace convoy
