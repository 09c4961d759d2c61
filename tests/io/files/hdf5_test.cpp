// HDF5 files: what is written reads back, and each failure names file and object.
#include "io/files/hdf5.h"

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/image_files.h"

namespace convoy::hdf5 {
namespace {

using testing::ElementsAre;

class Hdf5 : public testing::Test {
 protected:
  void SetUp() override {
    File file = File::create(path_);
    file.set("/", "text", std::string("caf\xC3\xA9"));
    file.set("/", "long", std::string(200'000, 'x'));
    file.set("/", "count", std::int64_t{1} << 40);
    file.set("/", "rate", 0.1);
    file.set("/", "rate", 0.2);  // replaces
    const std::vector<float> values{0, 1, 2, 3, 4, 5};
    file.write("/group/below/values", {3, 2}, values.data());
    const std::vector<std::string> strings{"a", "", "caf\xC3\xA9"};
    file.write_strings("/strings", strings);
    file.write_strings("/nothing", {});
    file.create_dataset("/large", Type::u8, {10'000});
    file.close();
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "file.h5";
};

TEST_F(Hdf5, ReadsAttributesBack) {
  const File file = File::open(path_, ExitCode::bad_data);
  EXPECT_EQ(file.text("/", "text"), "caf\xC3\xA9");
  EXPECT_EQ(file.text("/", "long").size(), 200'000u);
  EXPECT_EQ(file.integer("/", "count"), std::int64_t{1} << 40);
  EXPECT_EQ(file.number("/", "rate"), 0.2);
  EXPECT_TRUE(file.has("/", "rate"));
  EXPECT_FALSE(file.has("/", "absent"));
}

TEST_F(Hdf5, ReadsDatasetsBackWholeAndInRows) {
  const File file = File::open(path_, ExitCode::bad_data);
  EXPECT_THAT(file.read<double>("/group/below/values"), ElementsAre(0, 1, 2, 3, 4, 5));
  std::vector<float> row(2);
  file.read_rows("/group/below/values", {1, 2}, Type::f32, row.data());
  EXPECT_THAT(row, ElementsAre(2, 3));
  EXPECT_THAT(file.read_strings("/strings"), ElementsAre("a", "", "caf\xC3\xA9"));
  EXPECT_THAT(file.read_strings("/nothing"), ElementsAre());
  EXPECT_THAT(file.list("/"), ElementsAre("group", "large", "nothing", "strings"));
  EXPECT_TRUE(file.exists("/group/below/values"));
  EXPECT_FALSE(file.exists("/no/such/group"));
}

TEST_F(Hdf5, LaysLargeDataAtMultiplesOfAPage) {
  const File file = File::open(path_, ExitCode::bad_data);
  const Layout layout = file.layout("/large");
  EXPECT_EQ(layout.kind, Layout::Kind::unsigned_integer);
  EXPECT_EQ(layout.element_bytes, 1u);
  EXPECT_THAT(layout.extents, ElementsAre(10'000));
  ASSERT_TRUE(layout.offset.has_value());
  EXPECT_EQ(*layout.offset % 4096, 0);
}

TEST_F(Hdf5, NamesFileAndObjectInFailures) {
  const File file = File::open(path_, ExitCode::bad_checkpoint);
  const auto refused = [&](const std::string& object, const std::function<void()>& action) {
    expect_error(ExitCode::bad_checkpoint, {object, path_.string()}, action);
  };
  refused("/absent", [&] { (void)file.read<float>("/absent"); });
  refused("/group/below/values", [&] { (void)file.read_strings("/group/below/values"); });
  refused("attribute count", [&] { (void)file.text("/", "count"); });
  refused("attribute text", [&] { (void)file.integer("/", "text"); });
  refused("attribute absent", [&] { (void)file.number("/", "absent"); });
  refused("/large", [&] {
    std::vector<std::uint8_t> room(10);
    file.read_rows("/large", {9'995, 10'005}, Type::u8, room.data());
  });
}

TEST_F(Hdf5, RefusesFilesThatAreNone) {
  const auto refused = [&](const std::filesystem::path& path) {
    expect_error(ExitCode::bad_data, {path.string()},
                 [&] { (void)File::open(path, ExitCode::bad_data); });
  };
  refused(folder_.path() / "absent.h5");
  refused(folder_.path());
  write_text(folder_.path() / "text.h5", "label,file\n");
  refused(folder_.path() / "text.h5");
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) / 2);
  refused(path_);
}

TEST_F(Hdf5, SaysThatTheDiskIsFull) {
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{1 << 16, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::filesystem::path path = folder_.path() / "full.h5";
  expect_error(ExitCode::resource, {"/x", path.string()}, [&] {
    File file = File::create(path);
    const std::vector<float> values(1 << 18, 1.0f);
    file.write("/x", {1 << 18}, values.data());
    file.close();
  });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
}

TEST_F(Hdf5, IsReadByManyThreads) {
  const File file = File::open(path_, ExitCode::bad_data);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(file.read<float>("/group/below/values").size(), 6u);
        EXPECT_EQ(file.text("/", "text"), "caf\xC3\xA9");
      }
    });
  }
}

}  // namespace
}  // namespace convoy::hdf5
