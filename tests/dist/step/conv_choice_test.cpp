// device.conv: what is asked for, what is refused, and one choice for all ranks.
#include "dist/step/conv_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "dist/step/session.h"
#include "tests/dist/small_job.h"
#include "tests/dist/test_world.h"

namespace convoy {
namespace {

using Method = ConvRequest::Method;
using testing::HasSubstr;

template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "not refused";
}

JobOptions job_with(const std::string& conv) {
  JobOptions job = small_job();
  job.device.conv = conv;
  job.dist.strategy = "data";
  return job;
}

TEST(ConvRequest, ReadsWordsAndLists) {
  EXPECT_EQ(ConvRequest("auto").of("conv1"), Method::automatic);
  EXPECT_EQ(ConvRequest("minimal").of("conv1"), Method::minimal);
  EXPECT_EQ(ConvRequest("direct").of("conv9"), Method::direct);
  const ConvRequest list("conv1:direct,conv3:minimal,conv4:auto");
  EXPECT_EQ(list.of("conv1"), Method::direct);
  EXPECT_EQ(list.of("conv2"), Method::automatic);
  EXPECT_EQ(list.of("conv3"), Method::minimal);
  EXPECT_EQ(list.of("conv4"), Method::automatic);
}

TEST(ConvRequest, RefusesOtherText) {
  for (const char* text : {"", "fast", "conv1", "conv1:", ":direct", "conv1:fast", "minimal,direct",
                           "conv1:direct,", "conv1:direct,conv1:minimal", "conv1=direct"})
    EXPECT_THAT(refusal([&] { const ConvRequest request(text); }), HasSubstr("device.conv is"))
        << text;
}

TEST(ConvChoice, IsTheOneAskedForAndStandsInItsText) {
  Session minimal(test_world(), job_with("minimal"));
  EXPECT_EQ(minimal.conv_choice().text(),
            "conv1:minimal,conv2:minimal,conv3:minimal,conv4:minimal,conv5:minimal");
  Session mixed(test_world(), job_with("conv1:direct,conv2:minimal,conv3:direct,conv4:minimal,"
                                       "conv5:direct"));
  EXPECT_EQ(mixed.conv_choice().text(),
            "conv1:direct,conv2:minimal,conv3:direct,conv4:minimal,conv5:direct");
  EXPECT_EQ(mixed.network().input_form().block, 1);
  EXPECT_EQ(minimal.network().input_form().block, 4);
}

// Ranks time nothing for themselves: the text of all is rank 0's.
TEST(ConvChoice, ByTimingIsTheSameOnAllRanks) {
  const Session session(test_world(), job_with("auto"));
  const std::string mine = session.conv_choice().text();
  std::string first = mine;
  test_world().split(0)->broadcast("choice", first.data(), first.size(), 0);
  EXPECT_EQ(mine, first);
  if (test_world().rank() != 0) return;
  EXPECT_GT(session.conv_choice().lines[0].minimal_ms, 0);
}

TEST(ConvChoice, RefusesUnknownLayersAndShapesThatMinimalFilteringCannotDo) {
  EXPECT_THAT(refusal([] { const Session s(test_world(), job_with("conv7:direct")); }),
              HasSubstr("the net's convolutions are conv1, conv2, conv3, conv4, conv5"));
  JobOptions job = job_with("minimal");
  job.model.conv1_kernel = 7;
  job.model.conv1_stride = 2;
  EXPECT_THAT(refusal([&] { const Session s(test_world(), job); }),
              HasSubstr("minimal filtering of conv1, whose 7 x 7 kernels with stride 2"));
}

}  // namespace
}  // namespace convoy
