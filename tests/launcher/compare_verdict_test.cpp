// The sentences under a comparison say what its figures say.
#include "launcher/compare_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// 128 images a step; model sends activations, data gradients.
StrategyResult result(const std::string& name, double step_ms, double exposed_ms) {
  StrategyResult made;
  made.strategy = {name, name == "model" ? Grid{1, 2} : Grid{2, 1}};
  const double rate = 128'000 / step_ms;
  made.images_per_second = {0.99 * rate, rate, 1.01 * rate};
  made.ms.step = {step_ms, step_ms, step_ms};
  made.ms.forward.median = (step_ms - exposed_ms) / 2;
  made.ms.backward.median = (step_ms - exposed_ms) / 2;
  made.ms.comm_exposed.median = exposed_ms;
  made.predicted_bytes = name == "model" ? 31'320'064 : 243'860'896;
  made.gradient_bytes = name == "model" ? 0 : made.predicted_bytes;
  return made;
}

CompareResult comparison(const StrategyResult& a, const StrategyResult& b) {
  CompareResult made;
  made.strategies = {a, b};
  made.ranks = 2;
  made.batch = 128;
  return made;
}

TEST(Verdict, NamesTheWinnerTheLeadAndTheReason) {
  const auto sentences = verdict(comparison(result("data", 1310, 410), result("model", 1000, 98)));
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_THAT(sentences[0],
              HasSubstr("model wins, 1.31 times as fast as data (128.0 against 97.7"));
  EXPECT_THAT(sentences[0],
              HasSubstr("model computes 902.0 ms a step and waits 98.0 ms for 31.3 MB "
                        "of activations"));
  EXPECT_THAT(sentences[0], HasSubstr("data computes 900.0 ms a step and waits 410.0 ms for 244 MB "
                                      "of gradients"));
  // 410 ms / (1000 ms / 128 - 900 ms / 128)
  EXPECT_THAT(sentences[1], HasSubstr("data would draw level at a batch near 525"));
}

TEST(Verdict, SaysWhenNoBatchHelps) {
  // data computes longer as well, so that its gradients only add to it.
  const auto sentences = verdict(comparison(result("data", 2000, 410), result("model", 1000, 98)));
  EXPECT_THAT(sentences.back(), HasSubstr("at no batch size"));
}

TEST(Verdict, SpreadsThatOverlapProveNothing) {
  const auto sentences = verdict(comparison(result("data", 1005, 110), result("model", 1000, 98)));
  EXPECT_THAT(sentences[0], HasSubstr("may be chance"));
}

TEST(Verdict, OnGpusWaitingIsNotToldApart) {
  CompareResult made = comparison(result("data", 1310, 0), result("model", 1000, 0));
  made.waits_are_apart = false;
  const auto sentences = verdict(made);
  EXPECT_THAT(sentences, ElementsAre(HasSubstr("data takes 1310.0 ms a step, in which it exchanges "
                                               "244 MB of gradients")));
}

TEST(Verdict, OneStrategyHasNobodyToBeat) {
  CompareResult made = comparison(result("data", 1310, 410), result("model", 1000, 98));
  made.strategies.pop_back();
  EXPECT_THAT(verdict(made), ElementsAre(HasSubstr("data is alone here")));
}

TEST(Agreement, IsOfBitsOrOfSize) {
  const StrategyResult reference = result("single", 1000, 0);
  StrategyResult other = result("data", 1000, 0);
  EXPECT_EQ(agreement_text(reference, reference), "reference");
  EXPECT_EQ(agreement_text(other, reference), "the bits of single");
  other.same_bits = false;
  other.loss_difference = 3.14e-7;
  EXPECT_EQ(agreement_text(other, reference), "within 3.1e-07 of single");
}

}  // namespace
}  // namespace convoy
