// What is shown of training inputs is what the plan cut, whatever the recipe subtracts and scales.
#include "dist/train/sample_inputs.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"
#include "tests/io/small_dataset.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

TEST(SampleInputs, AreTheCropsWithMirrorAndColour) {
  if (test_world().rank() > 0) return;
  const TemporaryFolder folder;
  testing::internal::CaptureStderr();
  const Dataset dataset(small_dataset(folder.path(), 3, 6, 80));
  testing::internal::GetCapturedStderr();
  JobOptions job = small_job();
  job.preprocess.noise_epochs = 1;
  struct Case {
    const char* mean;
    bool unit;
    bool bgr;
    double divisor;
  };
  for (const Case& one : {Case{"centre", false, false, 1.1}, Case{"crop", false, true, 1},
                          Case{"channel", false, true, 1}, Case{"none", true, false, 1}}) {
    job.preprocess.mean = one.mean;
    job.preprocess.unit_scale = one.unit;
    job.preprocess.bgr = one.bgr;
    job.preprocess.noise_divisor = one.divisor;
    int mirrored = 0;
    int coloured = 0;
    // Steps 2 and 3 of two an epoch: the noise ends between them.
    const auto inputs = sample_inputs(dataset, job, 1, 11);
    ASSERT_EQ(inputs.size(), 11u);
    for (const SampledInput& input : inputs) {
      EXPECT_EQ(input.step, &input - inputs.data() < kBatch ? 2 : 3);
      EXPECT_EQ(input.label, dataset.label(input.sample));
      std::vector<std::uint8_t> crop(71 * 71 * 3);
      dataset.read_crop(input.sample, input.record.top, input.record.left, 71, crop.data());
      mirrored += input.record.mirror;
      coloured += input.record.colour[0] != 0 ? 1 : 0;
      double worst = 0;
      for (int y = 0; y < 71; ++y) {
        for (int x = 0; x < 71; ++x) {
          const int from = input.record.mirror != 0 ? 70 - x : x;
          for (int c = 0; c < 3; ++c) {
            const double expected = std::clamp(
                crop[static_cast<std::size_t>((y * 71 + from) * 3 + c)] +
                    static_cast<double>(input.record.colour[static_cast<std::size_t>(c)]),
                0.0, 255.0);
            const auto place = static_cast<std::size_t>((y * 71 + x) * 3 + c);
            worst = std::max(worst, std::abs(expected - input.pixels[place]));
          }
        }
      }
      EXPECT_LE(worst, 0.51) << one.mean;
    }
    EXPECT_GT(mirrored, 0);
    EXPECT_LT(mirrored, 11);
    EXPECT_EQ(coloured, 8);
  }
  job.solver.batch = 100;
  expect_error(ExitCode::bad_data, {"fewer than one global batch"},
               [&] { static_cast<void>(sample_inputs(dataset, job, 0, 1)); });
}

}  // namespace
}  // namespace convoy
