// Packing: what goes in comes out, whatever the threads; bad inputs are named.
#include "io/pack/pack.h"

#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "io/dataset/dataset.h"
#include "io/files/hdf5.h"
#include "io/files/temporary_folder.h"
#include "io/images/image.h"
#include "io/images/resize.h"
#include "io/pack/pixel_statistics.h"
#include "io/pack/synth.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Pack : public testing::Test {
 protected:
  // The options of packing `input` into the folder `name`.
  [[nodiscard]] PackOptions options(const std::string& name = "packed") const {
    PackOptions result;
    result.input = input_;
    result.output = folder_.path() / name;
    result.size = 24;
    result.threads = 1;
    return result;
  }

  void add(const std::string& name, const Bytes& bytes) const { write_bytes(input_ / name, bytes); }
  void add_good(const std::string& name) const {
    add(name, jpeg_file(ramp_pixels(30, 28), 30, 28));
  }

  void expect_refused(ExitCode code, std::initializer_list<std::string> words) const {
    expect_error(code, words, [&] { (void)pack(options()); });
    EXPECT_FALSE(fs::exists(folder_.path() / "packed/index.h5"));
  }

  TemporaryFolder folder_;
  fs::path input_ = folder_.path() / "input";
};

Bytes whole_image(const Dataset& dataset, std::int64_t sample) {
  Bytes image(static_cast<std::size_t>(dataset.image_size() * dataset.image_size() * 3));
  dataset.read_crop(sample, 0, 0, dataset.image_size(), image.data());
  return image;
}

std::vector<std::string> ids(const fs::path& shard) {
  return hdf5::File::open(shard, ExitCode::bad_data).read_strings("/ids");
}

TEST_F(Pack, RoundTripOfSyntheticImages) {
  SynthOptions synth;
  synth.output = folder_.path() / "synth";
  synth.classes = 5;
  synth.train_images = 7;
  synth.val_images = 1;
  synthesise(synth);
  PackOptions packing = options();
  packing.input = synth.output / "train";
  packing.shard_images = 10;
  const PackReport report = pack(packing);
  EXPECT_EQ(report.packed, 35);
  EXPECT_EQ(report.left_out, 0);
  EXPECT_EQ(report.shards, 4);
  EXPECT_EQ(report.classes, 5);
  EXPECT_THAT(report.issues, IsEmpty());

  const Dataset dataset(packing.output, Verify::always);
  EXPECT_EQ(dataset.size(), 35);
  EXPECT_EQ(dataset.image_size(), 24);
  EXPECT_THAT(dataset.class_counts(), ElementsAre(7, 7, 7, 7, 7));
  EXPECT_EQ(dataset.fingerprint().size(), 16u);
  EXPECT_THAT(dataset.description(), HasSubstr("--size 24"));
  PixelStatistics statistics(24);
  std::set<std::string> seen;
  for (std::int64_t sample = 0; sample < dataset.size(); ++sample) {
    const ImageSource source = dataset.source(sample);
    const std::string id =
        ids(packing.output / source.shard).at(static_cast<std::size_t>(source.row));
    EXPECT_TRUE(seen.insert(id).second);
    const auto label = static_cast<std::size_t>(dataset.label(sample));
    EXPECT_EQ(dataset.classes().at(label).name, fs::path(id).parent_path());
    const auto decoded = decode_image(read_bytes(packing.input / id));
    Bytes expected(24 * 24 * 3);
    resize_and_crop(decoded.image, 24, expected);
    EXPECT_EQ(whole_image(dataset, sample), expected);
    statistics.add(expected.data());
  }
  EXPECT_EQ(dataset.mean_image(), statistics.mean_image());
  EXPECT_EQ(dataset.mean_rgb(), statistics.mean_rgb());
  EXPECT_EQ(dataset.pca().deviations, statistics.pca().deviations);
  EXPECT_EQ(dataset.pca().vectors, statistics.pca().vectors);
}

TEST_F(Pack, DoesNotDependOnThreads) {
  for (int i = 0; i < 40; ++i) {
    const auto name = std::to_string(i % 3) + "/" + std::to_string(i) + ".jpg";
    const auto grey = static_cast<std::uint8_t>(6 * i);
    add(name,
        i % 7 == 3 ? Bytes{'x'} : jpeg_file(constant_pixels(30, 30, {grey, 9, grey}), 30, 30));
  }
  PackOptions one = options("one");
  PackOptions three = options("three");
  one.shard_images = three.shard_images = 9;
  three.threads = 3;
  EXPECT_EQ(pack(one).left_out, 6);
  pack(three);
  for (const char* file :
       {"index.h5", "shard-00000.h5", "shard-00001.h5", "shard-00003.h5", "report.jsonl"}) {
    EXPECT_EQ(read_bytes(one.output / file), read_bytes(three.output / file)) << file;
  }
  EXPECT_EQ(Dataset(one.output).size(), 34);
}

TEST_F(Pack, ShufflesOverShardsBySeed) {
  for (int i = 0; i < 30; ++i) add_good(std::to_string(i / 15) + "/" + std::to_string(i) + ".jpg");
  PackOptions first = options("first");
  PackOptions second = options("second");
  second.seed = 2;
  pack(first);
  pack(second);
  const auto order = ids(first.output / "shard-00000.h5");
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  EXPECT_NE(order, ids(second.output / "shard-00000.h5"));
  EXPECT_NE(Dataset(first.output).fingerprint(), Dataset(second.output).fingerprint());
}

TEST_F(Pack, ReportsRepairsAndWhatIsLeftOut) {
  const Bytes good = jpeg_file(ramp_pixels(30, 28), 30, 28);
  add_good("a/good.jpg");
  add("a/cmyk.JPEG", jpeg_file(constant_pixels(30, 30, {9, 9, 9, 9}), 30, 30, {TJPF_CMYK}));
  add("a/png.JPEG", png_file(ramp_pixels(30, 28), 30, 28, PNG_FORMAT_RGB));
  add("a/real.png", png_file(ramp_pixels(30, 28), 30, 28, PNG_FORMAT_RGB));
  add("a/gray.jpg", jpeg_file(constant_pixels(30, 30, {9}), 30, 30, {TJPF_GRAY, TJSAMP_GRAY}));
  add("b/cut.jpg",
      Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2 + 100)));
  add("b/empty.jpg", {});
  add("b/good.jpg", good);
  add("b/notes.txt", {'h', 'i'});
  add("b/.hidden", {'h', 'i'});
  add("stray.txt", {'h', 'i'});
  fs::create_directories(input_ / "b/folder");
  fs::create_symlink("nowhere", input_ / "b/link.jpg");
  const PackReport report = pack(options());
  EXPECT_EQ(report.packed, 6);
  EXPECT_EQ(report.left_out, 3);

  std::map<std::string, PackIssue> issues;
  for (const PackIssue& issue : report.issues) issues[issue.file] = issue;
  EXPECT_EQ(issues.size(), report.issues.size());
  const auto expect_issue = [&](const std::string& file, bool left_out, const std::string& what) {
    ASSERT_TRUE(issues.contains(file)) << file;
    EXPECT_EQ(issues[file].left_out, left_out) << file;
    EXPECT_THAT(issues[file].what, HasSubstr(what));
    issues.erase(file);
  };
  expect_issue("a/cmyk.JPEG", false, "CMYK converted");
  expect_issue("a/png.JPEG", false, "PNG data under a JPEG name");
  expect_issue("b/cut.jpg", true, "cut short");
  expect_issue("b/empty.jpg", true, "is empty");
  expect_issue("b/notes.txt", true, "neither JPEG nor PNG");
  expect_issue("b/folder", true, "not a file");
  expect_issue("b/link.jpg", true, "not a file");
  expect_issue("stray.txt", true, "in no class folder");
  EXPECT_THAT(issues, IsEmpty());

  std::ifstream in(options().output / "report.jsonl");
  std::size_t lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const auto object = nlohmann::json::parse(line);
    EXPECT_EQ(object.at("file"), report.issues.at(lines).file);
    EXPECT_EQ(object.at("left_out"), report.issues.at(lines).left_out);
    EXPECT_EQ(object.at("what"), report.issues.at(lines).what);
  }
  EXPECT_EQ(lines, report.issues.size());
}

TEST_F(Pack, ListsUnreadableFiles) {
  if (geteuid() == 0) GTEST_SKIP() << "root reads every file";
  add_good("a/good.jpg");
  add_good("a/secret.jpg");
  fs::permissions(input_ / "a/secret.jpg", fs::perms::none);
  const PackReport report = pack(options());
  ASSERT_EQ(report.issues.size(), 1u);
  EXPECT_THAT(report.issues[0].what, HasSubstr("Permission denied"));
}

TEST_F(Pack, TakesNamesThatAreNotUtf8) {
  add("a/\xFF.jpg", {'x'});
  add_good("a/good.jpg");
  EXPECT_EQ(pack(options()).left_out, 1);
}

TEST_F(Pack, UsesAGivenClassList) {
  add_good("cat/1.jpg");
  add_good("dog/1.jpg");
  write_text(folder_.path() / "classes.txt",
             "dog\tdomestic dog, canis\r\nbird\n\ncat  pussy cat\n");
  PackOptions packing = options("listed");
  packing.classes = folder_.path() / "classes.txt";
  pack(packing);
  const Dataset dataset(packing.output);
  EXPECT_THAT(dataset.classes(), ElementsAre(ClassInfo{"dog", "domestic dog, canis"},
                                             ClassInfo{"bird", ""}, ClassInfo{"cat", "pussy cat"}));
  EXPECT_THAT(dataset.class_counts(), ElementsAre(1, 0, 1));

  PackOptions again = options("again");  // the same list, from the dataset
  again.classes = packing.output;
  pack(again);
  EXPECT_EQ(Dataset(again.output).classes(), dataset.classes());

  add_good("emu/1.jpg");
  PackOptions unknown = options();
  unknown.classes = packing.classes;
  expect_error(ExitCode::bad_data, {"emu", "classes.txt", "3 classes"},
               [&] { (void)pack(unknown); });
  write_text(folder_.path() / "classes.txt", "cat\ndog\ncat\n");
  expect_error(ExitCode::bad_data, {"cat", "twice"}, [&] { (void)pack(unknown); });
  write_text(folder_.path() / "classes.txt", "\n");
  expect_error(ExitCode::bad_data, {"classes.txt", "empty"}, [&] { (void)pack(unknown); });
  unknown.classes = folder_.path() / "absent.txt";
  expect_error(ExitCode::bad_data, {"absent.txt"}, [&] { (void)pack(unknown); });
}

TEST_F(Pack, RefusesInputsOfAnotherLayout) {
  expect_refused(ExitCode::bad_data, {input_.string(), "class folders"});
  fs::create_directories(input_);
  expect_refused(ExitCode::bad_data, {input_.string(), "class folders"});
  add_good("1.jpg");
  expect_refused(ExitCode::bad_data, {input_.string(), "class folders"});
  add_good("train/cat/1.jpg");
  expect_refused(ExitCode::bad_data, {"train", "is " + (input_ / "train").string() + " the input"});
}

TEST_F(Pack, RefusesAnEmptyClassFolder) {
  add_good("a/1.jpg");
  add("b/.hidden", {'x'});
  expect_refused(ExitCode::bad_data, {(input_ / "b").string(), "is empty"});
}

TEST_F(Pack, RefusesAnInputWithoutOneUsableImage) {
  add("a/1.jpg", {'x'});
  add("a/2.jpg", {'y'});
  expect_refused(ExitCode::bad_data, {"none of the 2 files", "a/1.jpg", "neither JPEG nor PNG"});
}

TEST_F(Pack, RefusesAnOutputInUse) {
  add_good("a/1.jpg");
  pack(options());
  expect_error(ExitCode::usage, {options().output.string(), "already"},
               [&] { (void)pack(options()); });
  PackOptions inside = options();
  inside.output = input_ / "packed";
  expect_error(ExitCode::usage, {"must not lie in the input"}, [&] { (void)pack(inside); });
  PackOptions file = options();
  file.output = input_ / "a/1.jpg";
  expect_error(ExitCode::usage, {"1.jpg", "is a file"}, [&] { (void)pack(file); });
  PackOptions size = options("other");
  size.size = 0;
  expect_error(ExitCode::usage, {"--size", "0"}, [&] { (void)pack(size); });
  PackOptions foreign = options("foreign");
  write_text(foreign.output / "shard-00007.h5", "somebody else's");
  expect_error(ExitCode::usage, {"shard-00007.h5", "choose another"}, [&] { (void)pack(foreign); });
}

TEST_F(Pack, SaysThatTheDiskIsFull) {
  for (int i = 0; i < 40; ++i) add_good("a/" + std::to_string(i) + ".jpg");
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1 << 14, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  expect_refused(ExitCode::resource, {"shard-00000.h5"});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(options().output)) {
    left.push_back(entry.path().filename());
  }
  EXPECT_THAT(left, ElementsAre("unfinished.json"));  // with more room, the same command goes on
}

TEST_F(Pack, RealImages) {
  const char* folder = std::getenv("CONVOY_TEST_IMAGES");
  if (folder == nullptr) GTEST_SKIP() << "CONVOY_TEST_IMAGES names no folder of class folders";
  PackOptions packing = options();
  packing.input = folder;
  packing.size = 64;
  packing.threads = 2;
  const PackReport report = pack(packing);
  const Dataset dataset(packing.output, Verify::always);
  EXPECT_EQ(dataset.size(), report.packed);
  EXPECT_EQ(report.left_out, 0);
  for (std::int64_t sample = 0; sample < dataset.size(); ++sample) whole_image(dataset, sample);
  // Photographs vary most in brightness: all components of the first vector have one sign.
  for (const double component : dataset.pca().vectors[0]) EXPECT_GT(component, 0.4);
}

}  // namespace
}  // namespace convoy
