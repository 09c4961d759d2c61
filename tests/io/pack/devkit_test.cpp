// ILSVRC's devkit in each of its forms.
#include "io/pack/devkit.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/meta_mat.h"
#include "tests/io/support/tar_maker.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::SizeIs;

const std::vector<Synset> three{{2, "n01443537", "goldfish, Carassius auratus"},
                                {1, "n02119789", "kit fox, Vulpes macrotis"},
                                {1001, "n00001740", "entity"}};

class DevkitForms : public testing::Test {
 protected:
  void expect_two(const fs::path& path, const std::string& ground_truth) const {
    const Devkit devkit = read_devkit(path);
    ASSERT_THAT(devkit.classes, SizeIs(2));
    EXPECT_EQ(devkit.classes.at(1), (ClassInfo{"n02119789", "kit fox, Vulpes macrotis"}));
    EXPECT_EQ(devkit.classes.at(2), (ClassInfo{"n01443537", "goldfish, Carassius auratus"}));
    EXPECT_EQ(devkit.ground_truth, ground_truth);
  }
  TemporaryFolder folder_;
  fs::path path_ = folder_.path() / "kit";
};

TEST_F(DevkitForms, FolderTarAndFile) {
  for (const bool compressed : {false, true}) {
    const Bytes meta = meta_mat(three, compressed);
    write_bytes(path_ / "data/meta.mat", meta);
    write_text(path_ / "data/ILSVRC2012_validation_ground_truth.txt", "2\n1\n");
    expect_two(path_, "2\n1\n");
    expect_two(path_ / "data/meta.mat", "");
    const fs::path tar = folder_.path() / "kit.tar";
    write_bytes(tar, TarMaker()
                         .add("ILSVRC2012_devkit_t12/data/meta.mat", meta)
                         .add("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
                              bytes_of("1\n1\n"))
                         .finish());
    expect_two(tar, "1\n1\n");
    ASSERT_EQ(std::system(("gzip -kf " + tar.string()).c_str()), 0);
    expect_two(tar.string() + ".gz", "1\n1\n");
  }
}

TEST_F(DevkitForms, TextList) {
  write_text(path_,
             "1\tn02119789  kit fox, Vulpes macrotis\r\n\n2 n01443537 goldfish, Carassius "
             "auratus\n1001 n00001740 entity\n");
  expect_two(path_, "");
}

TEST_F(DevkitForms, RefusesWhatIsNone) {
  const auto refused = [&](std::initializer_list<std::string> words) {
    expect_error(ExitCode::bad_data, words, [&] { (void)read_devkit(path_); });
  };
  refused({"kit", "No such file"});
  write_text(path_, "1 n1 a\n1 n2 b\n");
  refused({"line 2", "the id 1 again"});
  write_text(path_, "1 n1 a\n2 n1 b\n");
  refused({"WNID n1 twice"});
  write_text(path_, "1 n1 a\nn2 2 b\n");
  refused({"line 2", "'ID WNID words'", "n2 2 b"});
  write_text(path_, "\n");
  refused({"names no classes"});
  write_text(path_, "1001 n1 a\n");
  refused({"names no classes"});
  write_bytes(path_, Bytes(600, 1));
  refused({"kit", "no tar, meta.mat or text list"});
  write_bytes(path_, meta_mat(three, true, "ID"));
  refused({"synset 1 in meta.mat of", "no whole ILSVRC id"});
  write_bytes(path_, meta_mat({{1, "n1", "a"}, {1, "n2", "b"}}));
  refused({"ILSVRC id 1 twice"});
  write_bytes(path_, meta_mat({{1.5, "n1", "a"}}));
  refused({"synset 1", "no whole ILSVRC id"});
  write_bytes(path_, mat_file(mat_array(2, 1, 1, "sets", ""), false));
  refused({"'synsets'"});
  Bytes cut = meta_mat(three, false);
  cut.resize(cut.size() - 100);
  write_bytes(path_, cut);
  refused({"meta.mat", "is damaged", "where"});
  Bytes later = meta_mat(three);
  later[125] = 2;  // MATLAB 7.3, an HDF5 file
  write_bytes(path_, later);
  refused({"MATLAB 5"});
}

// Whatever a bit becomes, or wherever the file ends, there is a devkit or a sentence.
TEST_F(DevkitForms, SurvivesDamage) {
  for (const bool compressed : {false, true}) {
    const Bytes good = meta_mat(three, compressed);
    for (std::size_t at = 120; at < good.size(); ++at) {
      Bytes damaged = good;
      damaged[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
      if (at % 2 == 0) damaged.resize(at);
      try {
        (void)parse_meta_mat({damaged.begin(), damaged.end()}, "meta.mat");
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
      }
    }
  }
}

}  // namespace
}  // namespace convoy
