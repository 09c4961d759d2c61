// The likeliest classes in their order, and what a line of JSON says.
#include "launcher/predictions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::ElementsAre;

TEST(TopClasses, RanksEqualOnesByTheirNumber) {
  const std::vector<float> p{0.1F, 0.3F, 0.05F, 0.3F, 0.1F, 0.15F};
  EXPECT_THAT(top_classes(p), ElementsAre(1, 3, 5, 0, 4));
  EXPECT_THAT(top_classes(p, 2), ElementsAre(1, 3));
  EXPECT_THAT(top_classes(std::vector<float>{0.2F, 0.8F}), ElementsAre(1, 0));
}

TEST(RightLabels, AreTheNamesOfFolders) {
  const RightLabels labels({{"n1", "tench"}, {"n2", ""}}, "list.txt");
  EXPECT_EQ(labels.of("a/n2/x.jpg"), 1);
  EXPECT_EQ(labels.of("n1/x.jpg"), 0);
  EXPECT_EQ(labels.of("n1.jpg"), std::nullopt);
  EXPECT_EQ(labels.of("a/n2/b/x.jpg"), std::nullopt);
}

TEST(PredictionJson, SaysAllOrWhyNot) {
  const std::vector<ClassInfo> classes{{"n1", "tench"}, {"n2", ""}};
  const std::filesystem::path file = "n2/x.jpg";
  const std::string none;
  const std::vector<std::string> notes{"CMYK converted"};
  const std::vector<float> p{0.25F, 0.75F};
  const std::vector<float> logits{-1, 2};
  const Prediction good{file, none, {}, {}, p, logits};
  EXPECT_EQ(
      prediction_json(good, 0, classes, false).dump(),
      R"({"image":"n2/x.jpg","label":"n1","top":[{"class":"n2","words":"","probability":0.75},)"
      R"({"class":"n1","words":"tench","probability":0.25}]})");
  const auto json =
      prediction_json({file, none, notes, {}, p, logits}, std::nullopt, classes, true);
  EXPECT_FALSE(json.contains("label"));
  EXPECT_EQ(json["logits"].dump(), "[-1.0,2.0]");
  EXPECT_EQ(json["notes"][0], "CMYK converted");
  const std::string why = "is empty";
  EXPECT_EQ(prediction_json({file, why, {}, {}, {}, {}}, 0, classes, true).dump(),
            R"({"image":"n2/x.jpg","error":"is empty"})");
}

}  // namespace
}  // namespace convoy
