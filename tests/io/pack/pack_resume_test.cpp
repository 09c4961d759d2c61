// Packing by several ranks, and packing that was stopped: the same bytes as undisturbed.
#include <barrier>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "io/dataset/dataset.h"
#include "io/files/hdf5.h"
#include "io/files/temporary_folder.h"
#include "io/images/image.h"
#include "io/pack/pack.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using Files = std::map<std::string, Bytes>;

struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

class PackResume : public testing::Test {
 protected:
  PackResume() {
    for (int i = 0; i < 40; ++i) {
      const auto name = "input/" + std::to_string(i % 3) + "/" + std::to_string(i) + ".jpg";
      const auto grey = static_cast<std::uint8_t>(6 * i);
      write_bytes(
          folder_.path() / name,
          i % 7 == 3 ? Bytes{'x'} : jpeg_file(constant_pixels(30, 30, {grey, 9, grey}), 30, 30));
    }
  }

  [[nodiscard]] PackOptions options(const std::string& name,
                                    const std::string& encoding = "raw") const {
    PackOptions result;
    result.input = folder_.path() / "input";
    result.output = folder_.path() / name;
    result.size = 24;
    result.threads = 2;
    result.shard_images = 9;
    result.encoding = encoding;
    return result;
  }

  // Packs up to where the index would be written.
  static void stop_before_the_index(const PackOptions& options) {
    int barriers = 0;
    const auto barrier = [&] {
      if (++barriers == 3) throw Stopped();
    };
    EXPECT_THROW(pack(options, {.barrier = barrier}), Stopped);
  }

  static PackReport pack_by(int ranks, const PackOptions& options) {
    std::barrier meeting(ranks);
    PackReport report;
    {
      std::vector<std::jthread> threads;
      for (int rank = 0; rank < ranks; ++rank) {
        threads.emplace_back([&, rank] {
          const PackReport part =
              pack(options, {.rank = rank, .size = ranks, .ranks_on_host = ranks, .barrier = [&] {
                               meeting.arrive_and_wait();
                             }});
          if (rank == 0) report = part;
        });
      }
    }
    return report;
  }

  static Files files(const PackOptions& options) {
    Files all;
    for (const auto& entry : fs::directory_iterator(options.output)) {
      all[entry.path().filename()] = read_bytes(entry.path());
    }
    return all;
  }

  static std::int64_t written_ns(const fs::path& path) {
    return fs::last_write_time(path).time_since_epoch().count();
  }

  TemporaryFolder folder_;
};

TEST_F(PackResume, AnyNumberOfRanksPacksTheSame) {
  for (const char* encoding : {"raw", "jpeg"}) {
    const std::string name = encoding;
    const PackOptions one = options("one-" + name, encoding);
    const PackReport alone = pack(one);
    EXPECT_EQ(alone.left_out, 6);
    EXPECT_EQ(alone.shards, 5);
    // HDF5 files must not tell when they were made, in whole seconds.
    std::this_thread::sleep_for(std::chrono::milliseconds(1001));
    for (const int ranks : {2, 7}) {
      const PackOptions several = options(name + std::to_string(ranks), encoding);
      const PackReport report = pack_by(ranks, several);
      EXPECT_EQ(report.packed, alone.packed);
      EXPECT_EQ(report.issues.size(), alone.issues.size());
      EXPECT_TRUE(files(several) == files(one)) << ranks;
    }
  }
}

TEST_F(PackResume, GoesOnWithWhatIsThere) {
  const PackOptions whole = options("whole");
  pack(whole);
  const PackOptions stopped = options("stopped");
  stop_before_the_index(stopped);
  const fs::path& output = stopped.output;
  EXPECT_FALSE(fs::exists(output / "index.h5"));
  expect_error(ExitCode::bad_data, {"not a dataset"}, [&] { const Dataset dataset(output); });

  // Killed between a shard and its record; within a record; within a shard.
  fs::remove(output / "shard-00001.record");
  fs::remove(output / "shard-00002.record");
  fs::remove(output / "shard-00002.h5");
  write_text(output / "shard-00002.h5.partial", "half");
  Bytes record = read_bytes(output / "shard-00003.record");
  record[record.size() / 2] ^= 1;
  write_bytes(output / "shard-00003.record", record);
  fs::resize_file(output / "shard-00004.h5", 5000);
  const auto finished = written_ns(output / "shard-00000.h5");
  const auto unfinished = written_ns(output / "shard-00001.h5");

  const PackReport report = pack(stopped);
  EXPECT_EQ(report.packed, 34);
  EXPECT_EQ(report.left_out, 6);
  EXPECT_EQ(report.issues.size(), 6u);
  EXPECT_EQ(written_ns(output / "shard-00000.h5"), finished);
  EXPECT_NE(written_ns(output / "shard-00001.h5"), unfinished);
  EXPECT_TRUE(files(stopped) == files(whole));
}

TEST_F(PackResume, StoppedWhileItRemovedItsSideFiles) {
  const PackOptions whole = options("whole");
  const PackReport undisturbed = pack(whole);
  const PackOptions stopped = options("stopped");
  stop_before_the_index(stopped);
  fs::remove(stopped.output / "shard-00001.record");
  fs::copy(whole.output / "index.h5", stopped.output);
  fs::copy(whole.output / "report.jsonl", stopped.output);
  const auto shard = written_ns(stopped.output / "shard-00001.h5");
  const PackReport report = pack(stopped);
  EXPECT_EQ(report.packed, undisturbed.packed);
  EXPECT_EQ(report.left_out, undisturbed.left_out);
  EXPECT_EQ(report.issues.size(), undisturbed.issues.size());
  EXPECT_EQ(written_ns(stopped.output / "shard-00001.h5"), shard);
  EXPECT_TRUE(files(stopped) == files(whole));
}

TEST_F(PackResume, RefusesOtherOptions) {
  const PackOptions first = options("output");
  stop_before_the_index(first);
  const Files before = files(first);
  const auto refused = [&](const PackOptions& other, std::initializer_list<std::string> words) {
    expect_error(ExitCode::usage, words, [&] { (void)pack(other); });
    EXPECT_TRUE(files(first) == before);
  };
  PackOptions other = first;
  other.size = 32;
  refused(other, {first.output.string(), "--size is '24' there and '32' here"});
  other = first;
  other.seed = 2;
  refused(other, {"--seed is '1' there and '2' here"});
  other = first;
  other.encoding = "jpeg";
  refused(other, {"--data.encoding is 'raw' there and 'jpeg' here"});
  other = first;
  other.shard_images = 10;
  refused(other, {"images per shard is '9' there and '10' here"});
  write_bytes(folder_.path() / "input/2/new.jpg", {'x'});
  refused(first, {"number of images is '40' there and '41' here"});
  fs::remove(folder_.path() / "input/2/2.jpg");
  refused(first, {"names and labels"});
}

TEST_F(PackResume, ARankThatSeesOtherImagesIsRefused) {
  PackOptions other = options("output");
  other.input = folder_.path() / "elsewhere";
  fs::copy(folder_.path() / "input", other.input, fs::copy_options::recursive);
  stop_before_the_index(options("output"));
  expect_error(ExitCode::usage, {"this rank", "--input", "elsewhere"},
               [&] { (void)pack(other, {.rank = 1, .size = 2}); });
}

TEST_F(PackResume, JpegShardsHoldTheImages) {
  const PackOptions raw = options("raw");
  const PackOptions jpeg = options("jpeg", "jpeg");
  pack(raw);
  pack(jpeg);
  for (const char* name : {"shard-00000.h5", "shard-00004.h5"}) {
    const auto pixels = hdf5::File::open(raw.output / name, ExitCode::bad_data);
    const auto stored = hdf5::File::open(jpeg.output / name, ExitCode::bad_data);
    EXPECT_EQ(stored.text("/", "encoding"), "jpeg");
    EXPECT_EQ(pixels.text("/", "encoding"), "raw");
    EXPECT_FALSE(stored.exists("/images"));
    EXPECT_EQ(stored.read_strings("/ids"), pixels.read_strings("/ids"));
    const auto images = pixels.read<std::uint8_t>("/images");
    const auto bytes = stored.read<std::uint8_t>("/bytes");
    const auto offsets = stored.read<std::uint64_t>("/offsets");
    ASSERT_EQ(offsets.size(), pixels.read<std::int32_t>("/labels").size() + 1);
    EXPECT_EQ(offsets.front(), 0u);
    EXPECT_EQ(offsets.back(), bytes.size());
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
      const auto decoded =
          decode_image(std::span(bytes).subspan(offsets[i], offsets[i + 1] - offsets[i]));
      EXPECT_EQ(decoded.image.width, 24);
      EXPECT_NEAR(decoded.image.pixels[0], images[i * 24 * 24 * 3], 3);
    }
  }
  EXPECT_EQ(hdf5::File::open(jpeg.output / "index.h5", ExitCode::bad_data).text("/", "encoding"),
            "jpeg");
}

}  // namespace
}  // namespace convoy
