// The figures that inspect prints: the paper's counts, the exchange places, the differences.
#include "launcher/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/recipe.h"
#include "launcher/difference_words.h"
#include "launcher/options.h"

namespace convoy {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

NetSpec net_with_towers(std::int64_t towers) {
  ModelOptions model;
  model.towers = towers;
  return build_alexnet(model);
}

TEST(InspectLayers, CountsTheTwoTowerNetAsThePaperDoes) {
  const std::string text = inspect_layers(net_with_towers(2), "AlexNet");
  EXPECT_THAT(text, HasSubstr("AlexNet with 2 towers, 1000 classes"));
  EXPECT_THAT(text, HasSubstr("60,965,224"));
  EXPECT_THAT(text, HasSubstr("659,272"));
  EXPECT_THAT(text, HasSubstr("724,406,816"));
  EXPECT_THAT(text, HasSubstr("37,752,832"));  // fc6
  EXPECT_THAT(text, HasSubstr("55x55x96"));
}

TEST(InspectLayers, CountsTheOneColumnNet) {
  const std::string text = inspect_layers(net_with_towers(1), "AlexNet");
  EXPECT_THAT(text, HasSubstr("AlexNet with 1 tower,"));
  EXPECT_THAT(text, HasSubstr("62,378,344"));
}

// 30,836 values per image forward and 30,336 backward, 4 bytes each, 128 images.
TEST(InspectTraffic, ShowsWhereModelExchanges) {
  const std::string text = inspect_traffic(net_with_towers(2), 128, 2);
  EXPECT_THAT(text, HasSubstr("before conv3"));
  EXPECT_THAT(text, HasSubstr("31,320,064"));
  EXPECT_THAT(text, HasSubstr("243,860,896"));  // all gradients, data
  EXPECT_THAT(text,
              HasSubstr("model exchanges activations before conv3, fc6, fc7 and fc8, and at "
                        "the logits; nothing crosses ranks at conv1, conv2, conv4 and conv5."));
  EXPECT_THAT(text, Not(HasSubstr("before conv2")));
}

TEST(InspectTraffic, CountsWireBytesOfAnAllReduceOverFourRanks) {
  // 2 (n-1)/n of 243,860,896 bytes
  EXPECT_THAT(inspect_traffic(net_with_towers(2), 128, 4), HasSubstr("365,791,344"));
}

TEST(InspectTraffic, ShowsHybridAndOwtOnTheRanksAskedFor) {
  const std::string text = inspect_traffic(net_with_towers(2), 128, 4);
  EXPECT_THAT(text, HasSubstr("hybrid on 4"));
  EXPECT_THAT(text, HasSubstr("121,930,448"));  // half the net's gradients
  EXPECT_THAT(text, HasSubstr("owt on 4"));
  EXPECT_THAT(text, HasSubstr("9,336,320"));  // the convolutions' gradients
  EXPECT_THAT(text, Not(HasSubstr("broadcast")));
  EXPECT_THAT(inspect_traffic(net_with_towers(2), 128, 4, DType::f32, "turns"),
              HasSubstr("broadcast"));
}

TEST(InspectTraffic, SaysWhyAStrategyDoesNotFit) {
  EXPECT_THAT(inspect_traffic(net_with_towers(1), 128, 2), HasSubstr("model on 2 does not fit: "));
  EXPECT_THAT(inspect_traffic(net_with_towers(2), 128, 3), HasSubstr("data on 3 does not fit: "));
  EXPECT_THAT(inspect_traffic(net_with_towers(2), 126, 3), HasSubstr("hybrid on 3 does not fit: "));
}

TEST(InspectDifferences, AreNoneForThePaper) {
  EXPECT_EQ(inspect_differences(parse_job("", "nothing")), "");
}

TEST(InspectDifferences, ListBothValuesOfEveryKey) {
  const std::string text = inspect_differences(parse_job("recipe = caffe\n", "job.ini"));
  for (const char* line : {"solver.batch +128 +256", "model.lrn-scope +tower +all",
                           "data.bgr +false +true", "solver.schedule +plateau +steps:100000:0.1"}) {
    EXPECT_THAT(text, ContainsRegex(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("model.towers")));
  EXPECT_THAT(text, Not(HasSubstr("data.train")));
}

TEST(InspectDifferences, AreToldInWords) {
  const std::string text = inspect_differences(parse_job("recipe = alexnet-pytorch\n", "job.ini"));
  for (const char* line :
       {"towers: one column", "input size: crops of 227x227", "LRN: .*2e-05 times the sum of 5",
        "dropout's place: before fc6 and before fc7", "initialisation: .*fc6 to fc8 are uniform",
        "optimiser: Adam", "preprocessing: pixels are brought to 0..1",
        "augmentation: the centre of each image only, never mirrored, no colour noise"}) {
    EXPECT_THAT(text, ContainsRegex(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("batch:")));
  const std::string sgd =
      inspect_differences(parse_job("recipe = alexnet-pytorch-sgd\n", "job.ini"));
  EXPECT_THAT(sgd, Not(HasSubstr("optimiser:")));
  EXPECT_THAT(sgd, HasSubstr("learning rate's course: epochs:30=0.1,60=0.01"));
}

TEST(InspectDifferences, HaveWordsOfTheirOwnForWhateverARecipeChanges) {
  for (const Recipe& recipe : recipes())
    for (const Difference& d : differences_from_paper(parse_job("recipe = " + recipe.name, "job")))
      EXPECT_NE(matter_of(d.key), "") << recipe.name << ", " << d.key;
}

}  // namespace
}  // namespace convoy
