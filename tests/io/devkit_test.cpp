// ILSVRC's devkit in each of its forms.
#include "io/devkit.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/io/support/expect_error.h"
#include "tests/io/support/tar_maker.h"
#include "tests/io/temporary_folder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::SizeIs;

struct Synset {
  double id;
  const char* wnid;
  const char* words;
};

using Bits = std::string;  // bytes of a MATLAB 5 file

Bits word(std::uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

Bits element(std::uint32_t type, const Bits& content) {
  Bits bits = word(type) + word(static_cast<std::uint32_t>(content.size())) + content;
  bits.resize((bits.size() + 7) / 8 * 8, '\0');
  return bits;
}

// An array of a class: [1, columns], or [rows, 1] where it is given so.
Bits array(std::uint32_t kind, std::size_t rows, std::size_t columns, const Bits& name,
           const Bits& content) {
  return element(14, element(6, word(kind) + word(0)) +
                         element(5, word(static_cast<std::uint32_t>(rows)) +
                                        word(static_cast<std::uint32_t>(columns))) +
                         element(1, name) + content);
}

Bits text(const Bits& letters) { return array(4, 1, letters.size(), "", element(16, letters)); }

Bits wide_text(const Bits& letters) {
  Bits wide;
  for (const char letter : letters) wide += {letter, '\0'};
  return array(4, 1, letters.size(), "", element(4, wide));
}

Bits number(double value) {
  return array(6, 1, 1, "", element(9, {reinterpret_cast<const char*>(&value), sizeof value}));
}

// As MATLAB packs small whole numbers: into the tag.
Bits small_number(std::uint8_t value) {
  return array(6, 1, 1, "", word((1u << 16) | 2) + Bits{static_cast<char>(value), 0, 0, 0});
}

Bits field_names(const std::vector<Bits>& names) {
  Bits all;
  for (Bits name : names) {
    name.resize(32, '\0');
    all += name;
  }
  return word((4u << 16) | 5) + word(32) + element(1, all);
}

Bytes mat_file(const Bits& variable, bool compressed) {
  Bits file = "MATLAB 5.0 MAT-file, made for a test";
  file.resize(124, ' ');
  file += Bits("\0\1IM", 4);
  if (!compressed) return bytes_of(file + variable);
  uLongf size = compressBound(variable.size());
  Bits packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(variable.data()), variable.size());
  packed.resize(size);
  return bytes_of(file + word(15) + word(static_cast<std::uint32_t>(size)) + packed);
}

// A meta.mat with the fields of the real one that matter, and another variable before them.
Bytes meta_mat(const std::vector<Synset>& synsets, bool compressed = true,
               const Bits& id_name = "ILSVRC2012_ID") {
  Bits cells;
  for (const Synset& synset : synsets) {
    const bool small = synset.id == 1;
    cells += small ? small_number(1) : number(synset.id);
    cells += text(synset.wnid) + (small ? wide_text(synset.words) : text(synset.words));
    cells += array(6, 0, 0, "", element(9, ""));
  }
  return mat_file(array(2, synsets.size(), 1, "synsets",
                        field_names({id_name, "WNID", "words", "children"}) + cells),
                  compressed);
}

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
  write_bytes(path_, mat_file(array(2, 1, 1, "sets", ""), false));
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
