// Nets of configs/nets, and how model.net goes through options, files and config.ini.
#include "launcher/described_net.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/net/spec.h"
#include "core/recipe.h"
#include "io/files/temporary_folder.h"
#include "launcher/inspect.h"
#include "launcher/options.h"
#include "tests/launcher/refusal.h"

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::Not;

JobOptions resolved(const std::vector<Assignment>& file, const std::vector<Assignment>& line) {
  JobOptions job;
  resolve_job(job, file, file_origin("job.ini"), line, command_line_origin("train"));
  return job;
}

NetSpec embedded(const std::string& name) {
  return build_net(resolved({}, {{"model.net", name}}).model);
}

TEST(DescribedNet, TheFilesOfAlexNetAreWhatTheOptionsBuild) {
  EXPECT_TRUE(embedded("alexnet") == build_alexnet({}));
  ModelOptions one_column;
  one_column.towers = 1;
  EXPECT_TRUE(embedded("alexnet-one-column") == build_alexnet(one_column));
  EXPECT_TRUE(embedded("alexnet-owt") == build_alexnet(find_recipe("owt-2014").model));
}

TEST(DescribedNet, TheOtherFilesHaveTheirPapersCounts) {
  const NetSpec vgg = embedded("vgg-a");
  EXPECT_EQ(vgg.parameters(), 132'863'336);
  EXPECT_EQ(vgg.layers[vgg.layers.size() - 6].out, (Shape{1, 7, 7, 512}));
  const NetSpec zf = embedded("zfnet");
  EXPECT_EQ(zf.layers[0].out, (Shape{1, 110, 110, 96}));
  EXPECT_EQ(zf.layers[1].out, (Shape{1, 55, 55, 96}));
  EXPECT_EQ(zf.layers[3].out, (Shape{1, 26, 26, 256}));
  EXPECT_EQ(zf.layers[4].out, (Shape{1, 13, 13, 256}));
  EXPECT_EQ(zf.layers[9].out, (Shape{1, 6, 6, 256}));
  EXPECT_EQ(zf.parameters(), 62'357'608);
}

TEST(DescribedNet, IsReadFromAFileAndSurvivesConfigIni) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "small.net";
  std::ofstream(path) << "# small\ninput 24\nconv 8 kernel 3 relu\n\nfc classes\n";
  const JobOptions job =
      resolved({}, {{"model.net", path.string()}, {"model.classes", "4"}, {"recipe", "caffe"}});
  EXPECT_EQ(job.model.net, "input 24; conv 8 kernel 3 relu; fc classes");
  EXPECT_EQ(job.model.input, 24);
  std::filesystem::remove(path);
  const std::string ini = render_job(job);
  EXPECT_THAT(ini, Not(HasSubstr("\ntowers")));
  const JobOptions again = parse_job(ini, "config.ini");
  EXPECT_EQ(render_job(again), ini);
  EXPECT_EQ(again.model.input, 24);
  EXPECT_TRUE(build_net(again.model) == build_net(job.model));
}

TEST(DescribedNet, AndOptionsThatShapeAlexNetExcludeEachOther) {
  const auto asked = [](const std::vector<Assignment>& file, const std::vector<Assignment>& line) {
    return refusal([&] { (void)resolved(file, line); });
  };
  EXPECT_EQ(
      asked({}, {{"model.net", "zfnet"}, {"model.width", "0.5"}}),
      "--model.width shapes AlexNet, but model.net describes the whole net; leave one of them "
      "out, or change a copy of the net's file");
  EXPECT_THAT(asked({{"model.towers", "2"}}, {{"model.net", "zfnet"}}),
              HasSubstr("job.ini: model.towers shapes AlexNet"));
  EXPECT_EQ(
      resolved({{"model.net", "zfnet"}}, {{"model.net", ""}, {"model.towers", "1"}}).model.input,
      227);
}

TEST(DescribedNet, OfAConfigFileIsNotLookedForWhereTheCommandLineHasAnother) {
  EXPECT_THAT(refusal([] {
                (void)resolved({{"model.net", "gone.net"}}, {});
              }),
              HasSubstr("model.net is 'gone.net'"));
  const JobOptions job = resolved({{"model.net", "gone.net"}}, {{"model.net", "zfnet"}});
  EXPECT_EQ(job.model.net, resolve_net("zfnet"));
}

TEST(DescribedNet, IsRefusedWithItsPlace) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "bad.net";
  std::ofstream(path) << "input 24\nconv 8 kernel 30\nfc classes\n";
  EXPECT_THAT(refusal([&] { (void)resolve_net(path.string()); }),
              HasSubstr("bad.net, line 2: kernels of 30x30 pixels do not fit"));
  EXPECT_THAT(refusal([] { (void)resolve_net("input 24; conv 8 kernel 30; fc classes"); }),
              HasSubstr("model.net, statement 2: kernels of 30x30 pixels do not fit"));
  EXPECT_EQ(refusal([] { (void)resolve_net("vgg-b"); }),
            "model.net is 'vgg-b', which is neither a file nor one of the nets "
            "alexnet-one-column, alexnet-owt, alexnet, vgg-a, zfnet");
  EXPECT_THAT(refusal([] { (void)resolve_net(std::string(300, 'n')); }),
              HasSubstr("nnn', which is neither a file nor one of the nets"));
  EXPECT_THAT(refusal([&] { (void)resolve_net(folder.path().string()); }),
              HasSubstr("it is a folder"));
}

TEST(DescribedNet, IsTheOneDifferenceOfItsModelThatInspectTells) {
  const JobOptions job = resolved({}, {{"model.net", "vgg-a"}, {"recipe", "caffe"}});
  const std::string text = inspect_differences(job);
  EXPECT_THAT(text, testing::ContainsRegex("model.net +AlexNet +the net above"));
  EXPECT_THAT(text, Not(HasSubstr("model.lrn")));
  EXPECT_THAT(text, HasSubstr("solver.batch"));
}

}  // namespace
}  // namespace convoy
