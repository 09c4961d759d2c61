// Checkpoints: what is written reads back, in whole and in slices; what was cut or changed does
// not.
#include "io/run/checkpoint.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/error.h"
#include "io/files/hdf5.h"
#include "io/files/seal.h"
#include "io/files/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const Shape conv_shape{6, 3, 5, 4};
const Shape bias_shape{6, 1, 1, 1};

std::vector<float> ramp(std::int64_t count, float first) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i) / 3;
  return values;
}

CheckpointInfo some_info() {
  CheckpointInfo info;
  info.step = 1234567890123;
  info.epoch = 17;
  info.config = "[model]\ntowers = 2\n" + std::string(100'000, '#') + "\n";  // past HDF5's 64 KiB
  info.fingerprint = "0123abcd";
  info.classes = {{"n01440764", "tench, Tinca tinca"}, {"n01443537", ""}, {"crème", "brûlée"}};
  info.image_size = 4;
  info.mean_image = ramp(4 * 4 * 3, 100);
  info.pca.deviations = {3, 2, 1.0 / 3};
  info.pca.vectors = {{{1, 0, 0}, {0, 0.6, -0.8}, {0, 0.8, 0.6}}};
  return info;
}

void add(CheckpointWriter& writer, const std::string& layer, const std::string& kind,
         const Shape& shape, const std::vector<float>& values) {
  writer.create(layer, kind, shape);
  writer.write(layer, kind, {0, shape.n}, values.data());
}

fs::path write_some(const fs::path& folder, const CheckpointInfo& info = some_info()) {
  const fs::path path = folder / "step-7.h5";
  CheckpointWriter writer(path, info);
  add(writer, "conv1", "weight", conv_shape, ramp(conv_shape.count(), 0));
  add(writer, "conv1", "bias", bias_shape, ramp(6, -1));
  add(writer, "fc8", "weight", {2, 1, 1, 7}, ramp(14, 5));
  writer.finish();
  return path;
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The sentence with which the file is refused; empty where it is not.
std::string refusal(const fs::path& path) {
  try {
    const CheckpointReader reader(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_checkpoint);
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
  return "";
}

TEST(Checkpoint, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const CheckpointInfo info = some_info();
  const CheckpointReader reader(write_some(folder.path()));
  EXPECT_EQ(reader.info().step, info.step);
  EXPECT_EQ(reader.info().epoch, info.epoch);
  EXPECT_EQ(reader.info().config, info.config);
  EXPECT_EQ(reader.info().fingerprint, info.fingerprint);
  EXPECT_EQ(reader.info().classes, info.classes);
  EXPECT_EQ(reader.info().image_size, info.image_size);
  EXPECT_EQ(reader.info().mean_image, info.mean_image);
  EXPECT_EQ(reader.info().pca.deviations, info.pca.deviations);
  EXPECT_EQ(reader.info().pca.vectors, info.pca.vectors);
  std::vector<float> weight(static_cast<std::size_t>(conv_shape.count()));
  reader.read("conv1", "weight", conv_shape, {0, 6}, weight.data());
  EXPECT_EQ(weight, ramp(conv_shape.count(), 0));
  std::vector<float> bias(6);
  reader.read("conv1", "bias", bias_shape, {0, 6}, bias.data());
  EXPECT_EQ(bias, ramp(6, -1));
}

TEST(Checkpoint, KeepsWhatARunGoesOnWith) {
  const TemporaryFolder folder;
  CheckpointInfo info = some_info();
  EXPECT_FALSE(CheckpointReader(write_some(folder.path(), info)).info().continuation);
  info.continuation = ContinuationInfo{128,
                                       {2, 4, 0.1 + 0.2},
                                       0.57,
                                       "conv\tkernel 1\nfc6\tkernel 2\n",
                                       "AVX-512",
                                       "model",
                                       2,
                                       3,
                                       "fingerprint of a validation set"};
  const CheckpointReader reader(write_some(folder.path(), info));
  const ContinuationInfo& read = reader.info().continuation.value();
  EXPECT_EQ(read.global_batch, 128);
  EXPECT_EQ(read.plateau, (PlateauState{2, 4, 0.1 + 0.2}));
  EXPECT_EQ(read.best_top1, 0.57);
  EXPECT_EQ(read.kernels, info.continuation->kernels);
  EXPECT_EQ(read.made_on, "AVX-512");
  EXPECT_EQ(read.strategy, "model");
  EXPECT_EQ(read.ranks, 2);
  EXPECT_EQ(read.threads, 3);
  EXPECT_EQ(read.validation, "fingerprint of a validation set");
}

TEST(Checkpoint, OfTheFirstFormatIsReadForEvaluation) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "old.h5";
  {
    auto file = hdf5::File::create(path);
    file.set("/", "format", std::string("convoy-checkpoint/1"));
    for (const char* name : {"step", "epoch", "image_size"}) file.set("/", name, std::int64_t{0});
    for (const char* name : {"config", "fingerprint"}) file.set("/", name, std::string("x"));
    for (const char* name : {"/classes", "/words"}) file.write_strings(name, {});
    file.write("/mean_image", {0, 0, 3}, static_cast<const float*>(nullptr));
    const std::vector<double> zeros(9);
    file.write("/pca_deviations", {3}, zeros.data());
    file.write("/pca_vectors", {3, 3}, zeros.data());
    file.close();
  }
  seal_file(path);
  EXPECT_FALSE(CheckpointReader(path).info().continuation);
}

TEST(Checkpoint, IsWrittenInPiecesOfRows) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "pieces.h5";
  const std::vector<float> whole = ramp(conv_shape.count(), 3);
  {
    CheckpointWriter writer(path, some_info());
    writer.create("conv1", "weight_velocity", conv_shape);
    for (const Range rows : {Range{4, 6}, Range{0, 1}, Range{1, 4}})
      writer.write("conv1", "weight_velocity", rows,
                   whole.data() + rows.begin * conv_shape.per_row());
    writer.finish();
  }
  std::vector<float> values(whole.size());
  CheckpointReader(path).read("conv1", "weight_velocity", conv_shape, {0, 6}, values.data());
  EXPECT_EQ(values, whole);
}

TEST(Checkpoint, EverySliceOfRowsIsTheWholesSlice) {
  const TemporaryFolder folder;
  const CheckpointReader reader(write_some(folder.path()));
  const std::vector<float> whole = ramp(conv_shape.count(), 0);
  const std::int64_t row = conv_shape.per_row();
  for (std::int64_t begin = 0; begin <= 6; ++begin) {
    for (std::int64_t end = begin; end <= 6; ++end) {
      std::vector<float> slice(static_cast<std::size_t>((end - begin) * row));
      reader.read("conv1", "weight", conv_shape, {begin, end}, slice.data());
      EXPECT_EQ(slice, std::vector<float>(whole.begin() + begin * row, whole.begin() + end * row));
    }
  }
  std::vector<float> bias(2);
  reader.read("conv1", "bias", bias_shape, {3, 5}, bias.data());
  EXPECT_EQ(bias, (std::vector<float>{ramp(6, -1)[3], ramp(6, -1)[4]}));
}

TEST(Checkpoint, ListsItsTensors) {
  const TemporaryFolder folder;
  const auto entries = CheckpointReader(write_some(folder.path())).entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].layer + "/" + entries[0].kind, "conv1/bias");
  EXPECT_EQ(entries[0].shape, bias_shape);
  EXPECT_EQ(entries[1].layer + "/" + entries[1].kind, "conv1/weight");
  EXPECT_EQ(entries[1].shape, conv_shape);
  EXPECT_EQ(entries[2].layer + "/" + entries[2].kind, "fc8/weight");
  EXPECT_EQ(entries[2].shape, (Shape{2, 1, 1, 7}));
}

TEST(Checkpoint, IsPlainHdf5WithTheDocumentedNames) {
  const TemporaryFolder folder;
  const auto file = hdf5::File::open(write_some(folder.path()), ExitCode::bad_checkpoint);
  EXPECT_EQ(file.text("/", "format"), "convoy-checkpoint/2");
  EXPECT_EQ(file.integer("/", "step"), 1234567890123);
  EXPECT_EQ(file.layout("/parameters/conv1/weight").extents, (hdf5::Extents{6, 3, 5, 4}));
  EXPECT_EQ(file.layout("/parameters/conv1/bias").extents, (hdf5::Extents{6}));
  EXPECT_EQ(file.text("/parameters/conv1/weight", "layout"), "KRSC");
  EXPECT_EQ(file.layout("/mean_image").extents, (hdf5::Extents{4, 4, 3}));
}

TEST(Checkpoint, RefusesAnotherShapeAndAMissingTensor) {
  const TemporaryFolder folder;
  const CheckpointReader reader(write_some(folder.path()));
  std::vector<float> values(1000);
  const auto refused = [&](const char* layer, const char* kind, const Shape& shape, Range rows) {
    try {
      reader.read(layer, kind, shape, rows, values.data());
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refused("conv1", "weight", {6, 5, 3, 4}, {0, 1}),
              HasSubstr("has the shape [6, 3, 5, 4], not [6, 5, 3, 4]"));
  EXPECT_THAT(refused("conv2", "weight", conv_shape, {0, 1}),
              HasSubstr("holds no weight of conv2"));
  EXPECT_THAT(refused("fc8", "bias", {2, 1, 1, 1}, {0, 1}), HasSubstr("holds no bias of fc8"));
  EXPECT_THAT(refused("conv1", "weight", conv_shape, {5, 7}), HasSubstr("rows [5, 7)"));
}

TEST(Checkpoint, ANetWithoutDatasetHasNoMeanAndNoClasses) {
  const TemporaryFolder folder;
  const CheckpointReader reader(write_some(folder.path(), CheckpointInfo{}));
  EXPECT_TRUE(reader.info().mean_image.empty());
  EXPECT_TRUE(reader.info().classes.empty());
  EXPECT_EQ(reader.info().config, "");
  EXPECT_EQ(reader.entries().size(), 3u);
}

TEST(Checkpoint, AnUnfinishedOneLeavesNothing) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "step-7.h5";
  {
    CheckpointWriter writer(path, some_info());
    add(writer, "conv1", "bias", bias_shape, ramp(6, 0));
    EXPECT_FALSE(fs::exists(path));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Checkpoint, AnUnfinishedOneLeavesTheOldOneInPlace) {
  const TemporaryFolder folder;
  const fs::path path = write_some(folder.path());
  { const CheckpointWriter writer(path, some_info()); }
  EXPECT_EQ(refusal(path), "");
}

TEST(Checkpoint, TheWriterRefusesWhatItCannotName) {
  const TemporaryFolder folder;
  CheckpointInfo info = some_info();
  CheckpointWriter writer(folder.path() / "a.h5", info);
  EXPECT_THROW(writer.create("conv1", "gamma", bias_shape), Error);
  EXPECT_THROW(writer.create("conv1", "bias", conv_shape), Error);
  info.mean_image.pop_back();
  EXPECT_THROW(CheckpointWriter(folder.path() / "b.h5", info), Error);
}

// Leaves the process with the exit code of a checkpoint that may not grow past `bytes`: a limit on
// the size of files stands in for the full disk. HDF5 never lets go of a file it cannot flush,
// hence a process of its own.
[[noreturn]] void write_on_full_disk(const fs::path& path, rlim_t bytes) {
  std::signal(SIGXFSZ, SIG_IGN);  // the limit becomes an error of write()
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_FSIZE, &limit);
  ExitCode code = ExitCode::done;
  try {
    CheckpointWriter writer(path, some_info());
    const std::vector<float> values(1'000'000, 1.0f);
    add(writer, "fc6", "weight", {1000, 1, 1, 1000}, values);
    writer.finish();
  } catch (const Error& error) {
    code = error.code();
  }
  std::_Exit(static_cast<int>(code));
}

TEST(Checkpoint, AFullDiskIsAnErrorAndLeavesNothing) {
  const TemporaryFolder folder;
  for (const rlim_t bytes : {1'000, 200'000, 4'000'000}) {
    EXPECT_EXIT(write_on_full_disk(folder.path() / "big.h5", bytes),
                testing::ExitedWithCode(static_cast<int>(ExitCode::resource)), "")
        << bytes;
    EXPECT_TRUE(fs::is_empty(folder.path())) << bytes;
  }
}

TEST(DamagedCheckpoint, MissingOrForeignFilesAreRefusedWithTheReason) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "x.h5";
  EXPECT_THAT(refusal(path), HasSubstr("No such file"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("directory"));
  write_bytes(path, "");
  EXPECT_THAT(refusal(path), HasSubstr("cut short or was not written by Convoy"));
  write_bytes(path, std::string(5000, 'x'));
  EXPECT_THAT(refusal(path), HasSubstr("cut short or was not written by Convoy"));
  seal_file(path);
  EXPECT_NE(refusal(path), "") << "sealed, but not HDF5";
  {
    auto other = hdf5::File::create(path);
    other.set("/", "format", std::string("convoy-checkpoint/3"));
    other.close();
  }
  seal_file(path);
  EXPECT_THAT(refusal(path), HasSubstr("not a checkpoint of the format convoy-checkpoint/2"));
}

TEST(DamagedCheckpoint, EveryLengthShorterOrLongerIsRefused) {
  const TemporaryFolder folder;
  const std::string whole = bytes_of(write_some(folder.path()));
  const fs::path path = folder.path() / "cut.h5";
  std::mt19937 random(1);
  std::vector<std::size_t> lengths = {
      0, 1, 63, 64, 65, whole.size() - 65, whole.size() - 64, whole.size() - 63, whole.size() - 1};
  for (int i = 0; i < 200; ++i) lengths.push_back(random() % whole.size());
  for (const std::size_t length : lengths) {
    write_bytes(path, whole.substr(0, length));
    EXPECT_NE(refusal(path), "") << length;
  }
  write_bytes(path, whole + "\n");
  EXPECT_NE(refusal(path), "");
  write_bytes(path, whole);
  EXPECT_EQ(refusal(path), "");
}

TEST(DamagedCheckpoint, EveryFlippedBitIsNoticed) {
  const TemporaryFolder folder;
  const fs::path path = write_some(folder.path());
  const std::string whole = bytes_of(path);
  std::mt19937 random(2);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < 64; ++i) places.push_back(whole.size() - 1 - i);  // the seal
  for (int i = 0; i < 500; ++i) places.push_back(random() % whole.size());
  for (const std::size_t place : places) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << (random() % 8)));
    write_bytes(path, damaged);
    EXPECT_NE(refusal(path), "") << "byte " << place;
  }
}

}  // namespace
}  // namespace convoy
