// Nets by description train alike under every strategy that fits them: VGG-A and ZFNet with few
// kernels, and a net with two towers, other groups and dropout between convolutions.
#include <gtest/gtest.h>

#include "dist/partition/strategy.h"
#include "tests/dist/conv_methods.h"
#include "tests/dist/equal_runs.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

JobOptions described(const std::string& net) {
  JobOptions job = small_job();
  job.model = {};
  job.model.net = net;
  job.model.classes = 7;
  const NetSpec spec = build_net(job.model);
  job.model.input = spec.input.h;
  job.device.conv = minimal_where_possible(spec);
  job.preprocess.unit_scale = true;  // He's deviations keep the scale of the input
  return job;
}

JobOptions small_vgg() {
  return described(
      "input 32; conv 8 kernel 3 pad 1 relu std he; pool kernel 2 stride 2;"
      "conv 16 kernel 3 pad 1 relu std he; pool kernel 2 stride 2;"
      "conv 24 kernel 3 pad 1 relu std he; conv 24 kernel 3 pad 1 relu std he;"
      "pool kernel 2 stride 2;"
      "conv 32 kernel 3 pad 1 relu std he; conv 32 kernel 3 pad 1 relu std he;"
      "pool kernel 2 stride 2;"
      "fc 48 relu std he; dropout 0.5; fc 40 relu std he; dropout 0.5; fc classes std .1");
}

JobOptions small_zf() {
  return described(
      "input 71; conv 16 kernel 7 stride 2 pad 1 relu; pool kernel 3 stride 2 round-up; lrn;"
      "conv 24 kernel 5 stride 2 relu std he bias .1; pool kernel 3 stride 2 round-up; lrn;"
      "conv 32 kernel 3 pad 1 relu std he; conv 32 kernel 3 pad 1 relu std he bias .1;"
      "conv 24 kernel 3 pad 1 relu std he; pool kernel 3 stride 2 round-up;"
      "fc 48 relu std he; dropout 0.5; fc 40 relu std he; dropout 0.5; fc classes std .1");
}

JobOptions two_towers() {
  return described(
      "input 24; towers 2; conv 16 kernel 3 pad 1 relu std .02 name first; pool kernel 2 stride 2;"
      "lrn; conv 32 kernel 3 pad 1 groups 4 relu std he; dropout 0.25;"
      "conv 33 kernel 1 relu std he; conv 32 kernel 2 stride 2 relu std he;"
      "conv 32 kernel 3 groups towers std he; relu; fc 30 relu std he; dropout 0.5 inverted;"
      "fc classes std .1");
}

TEST(DescribedNets, VggTrainsAlikeDataParallel) {
  compare_with_single(test_world(), small_vgg(), "data");
}

TEST(DescribedNets, ZfNetTrainsAlikeDataParallel) {
  compare_with_single(test_world(), small_zf(), "data");
}

TEST(DescribedNets, VggTrainsAlikeByOneWeirdTrick) {
  compare_with_single(test_world(), small_vgg(), "owt");
}

TEST(DescribedNets, TwoTowersTrainAlikeUnderEveryStrategy) {
  const int ranks = test_world().size();
  compare_with_single(test_world(), two_towers(), "data");
  compare_with_single(test_world(), two_towers(), "owt");
  if (ranks == 2) compare_with_single(test_world(), two_towers(), "model");
  if (ranks % 2 == 0) compare_with_single(test_world(), two_towers(), "hybrid");
}

}  // namespace
}  // namespace convoy
