// What may be packed, recognised by content: each kind gives the same images and labels.
#include "io/pack/pack_source.h"

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "io/images/image.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/meta_mat.h"
#include "tests/io/support/tar_maker.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Source : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    write_text(folder_.path() / name, text);
  }
  void write(const std::string& name, const Bytes& bytes) const {
    write_bytes(folder_.path() / name, bytes);
  }
  PackOptions options(const std::string& input) const {
    PackOptions result;
    result.input = folder_.path() / input;
    return result;
  }
  static std::unique_ptr<PackSource> open(const PackOptions& options) {
    return open_pack_source(options, true);
  }
  // "name label content" of every image, in order.
  static std::vector<std::string> images(const PackSource& source) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < source.listing().images.size(); ++i) {
      const SourceImage& image = source.listing().images[i];
      const auto bytes = source.read(i);
      lines.push_back(image.name + " " + std::to_string(image.label) + " " +
                      std::string(bytes.begin(), bytes.end()));
    }
    return lines;
  }
  static void expect_refused(const PackOptions& options, std::initializer_list<std::string> words,
                             ExitCode code = ExitCode::bad_data) {
    expect_error(code, words, [&] { (void)open(options); });
  }

  TemporaryFolder folder_;
};

const std::vector<std::string> four{"n01/a.JPEG 0 A", "n01/b.JPEG 0 B", "n02/c.JPEG 1 C",
                                    "n03/d.JPEG 2 D"};

Bytes class_tar(const std::vector<std::pair<std::string, std::string>>& files) {
  TarMaker tar;
  for (const auto& [name, content] : files) tar.add(name, bytes_of(content));
  return tar.finish();
}

TarMaker training_tar() {
  return TarMaker()
      .add("n03.tar", class_tar({{"d.JPEG", "D"}}))
      .add("n01.tar", class_tar({{"b.JPEG", "B"}, {"a.JPEG", "A"}, {"._a.JPEG", "x"}}))
      .add("n02.tar", class_tar({{"./c.JPEG", "C"}}));
}

TEST_F(Source, FoldersTarsAndListsAreTheSame) {
  write("folders/n01/a.JPEG", "A");
  write("folders/n01/b.JPEG", "B");
  write("folders/n02/c.JPEG", "C");
  write("folders/n03/d.JPEG", "D");
  EXPECT_EQ(images(*open(options("folders"))), four);

  write("train.tar", training_tar().finish());
  const auto tar = open(options("train.tar"));
  EXPECT_EQ(images(*tar), four);
  EXPECT_THAT(tar->listing().classes,
              ElementsAre(ClassInfo{"n01", ""}, ClassInfo{"n02", ""}, ClassInfo{"n03", ""}));

  write("named-like-text.txt", TarMaker()
                                   .add("./train/n02/c.JPEG", bytes_of("C"))
                                   .add("./train/n01/a.JPEG", bytes_of("A"))
                                   .add("./train/n01/b.JPEG", bytes_of("B"))
                                   .add("./train/n03/d.JPEG", bytes_of("D"))
                                   .finish());
  EXPECT_EQ(images(*open(options("named-like-text.txt"))), four);

  write("folders/n02/with blanks.JPEG", "E");
  write("list",
        "folders/n03/d.JPEG\tn03\r\n\nfolders/n01/a.JPEG n01\n"
        "folders/n02/with blanks.JPEG n02\n");
  EXPECT_THAT(images(*open(options("list"))),
              ElementsAre("folders/n01/a.JPEG 0 A", "folders/n02/with blanks.JPEG 1 E",
                          "folders/n03/d.JPEG 2 D"));
}

TEST_F(Source, LabelsByIlsvrcIdsAreSortedWnids) {
  write("val.tar", class_tar({{"v_3.JPEG", "z"}, {"v_1.JPEG", "x"}, {"v_2.JPEG", "y"}}));
  write("truth.txt", "3\n1\n3\n");
  write("ids.txt", "1 n02 fox\n2 n03 cat\n3 n01 tench, Tinca\n1001 n00 entity\n");
  PackOptions packing = options("val.tar");
  packing.labels = folder_.path() / "truth.txt";
  packing.devkit = folder_.path() / "ids.txt";
  const auto source = open(packing);
  EXPECT_THAT(images(*source), ElementsAre("v_1.JPEG 0 x", "v_3.JPEG 0 z", "v_2.JPEG 1 y"));
  EXPECT_THAT(source->listing().classes,
              ElementsAre(ClassInfo{"n01", "tench, Tinca"}, ClassInfo{"n02", "fox"},
                          ClassInfo{"n03", "cat"}));

  write("flat/v_1.JPEG", "x");
  write("flat/v_2.JPEG", "y");
  write("flat/v_3.JPEG", "z");
  packing.input = folder_.path() / "flat";
  EXPECT_EQ(images(*open(packing)), images(*source));

  write("kit/data/ILSVRC2012_validation_ground_truth.txt", "3\n1\n3\n");
  write("kit/data/meta.mat", meta_mat({{1, "n02", "fox"}, {2, "n03", "cat"}, {3, "n01", "tench"}}));
  packing.labels.clear();
  packing.devkit = folder_.path() / "kit";
  EXPECT_EQ(images(*open(packing)), images(*source));
  packing.input = folder_.path() / "val.tar";
  EXPECT_EQ(images(*open(packing)), images(*source));
  packing.devkit = folder_.path() / "ids.txt";
  expect_refused(packing, {"images without classes", "--labels"}, ExitCode::usage);
}

TEST_F(Source, LabelsByFile) {
  write("val.tar", class_tar({{"1.JPEG", "x"}, {"2.JPEG", "y"}}));
  write("labels.txt", "2.JPEG n01\nval/1.JPEG\tn02\n");
  PackOptions packing = options("val.tar");
  packing.labels = folder_.path() / "labels.txt";
  EXPECT_THAT(images(*open(packing)), ElementsAre("2.JPEG 0 y", "1.JPEG 1 x"));

  write("classes.txt", "n02\nn01\n");
  packing.classes = folder_.path() / "classes.txt";
  EXPECT_THAT(images(*open(packing)), ElementsAre("2.JPEG 1 y", "1.JPEG 0 x"));
  write("classes.txt", "n02\nn03\n");
  expect_refused(packing, {"class n01", "not in the class list", "classes.txt"});
}

TEST_F(Source, NamesClassesInWords) {
  write("train.tar", training_tar().finish());
  write("ids.txt", "7 n02 kit fox\n");
  PackOptions packing = options("train.tar");
  packing.devkit = folder_.path() / "ids.txt";
  EXPECT_THAT(open(packing)->listing().classes,
              ElementsAre(ClassInfo{"n01", ""}, ClassInfo{"n02", "kit fox"}, ClassInfo{"n03", ""}));
}

TEST_F(Source, RefusesLabelsThatDoNotFit) {
  write("val.tar", class_tar({{"1.JPEG", "x"}, {"2.JPEG", "y"}}));
  write("ids.txt", "1 n02 fox\n2 n01 cat\n");
  PackOptions packing = options("val.tar");
  packing.labels = folder_.path() / "labels.txt";
  const auto refused = [&](const std::string& text, std::initializer_list<std::string> words,
                           ExitCode code = ExitCode::bad_data) {
    write("labels.txt", text);
    expect_refused(packing, words, code);
  };
  refused("1\n2\n", {"labels.txt has ILSVRC ids", "--devkit"}, ExitCode::usage);
  packing.devkit = folder_.path() / "ids.txt";
  refused("1\n2\n1\n", {"3 labels", "2 images"});
  refused("1\n", {"1 labels", "2 images"});
  refused("1\n3\n", {"line 2", "the id '3'", "2 ids from 1 to 2"});
  refused("1\n1.5\n", {"line 2", "'1.5'"});
  refused("\n", {"labels.txt is empty"});
  refused("1.JPEG n01\n", {"no label for 2.JPEG"});
  refused("1.JPEG n01\n2.JPEG n01\n3.JPEG n01\n", {"labels 1 files", "3.JPEG"});
  refused("1.JPEG n01\n2.JPEG n01\n1.JPEG n02\n", {"line 3", "1.JPEG again"});
  refused("1.JPEG\n", {"line 1", "a file and its class"});
  write("train.tar", training_tar().finish());
  packing.input = folder_.path() / "train.tar";
  expect_refused(packing, {"--labels", "a tar for each class"}, ExitCode::usage);
}

TEST_F(Source, RefusesTarsThatAreNotWhole) {
  const auto refused = [&](const Bytes& tar, std::initializer_list<std::string> words) {
    write("train.tar", tar);
    expect_refused(options("train.tar"), words);
  };
  refused(training_tar().without_end(), {"train.tar", "end mark"});
  refused(training_tar().add("n04.tar", class_tar({})).finish(), {"n04.tar", "does not begin"});
  refused(training_tar().add("n04.tar", bytes_of("not a tar")).finish(), {"n04.tar", "damaged"});
  Bytes cut = class_tar({{"1.JPEG", "x"}});
  cut.resize(cut.size() - 1024);
  refused(training_tar().add("n04.tar", cut).finish(), {"n04.tar in", "train.tar", "end mark"});
  refused(TarMaker().add("n1.tar", class_tar({{".hidden", "x"}})).finish(), {"n1.tar", "no files"});
  refused(training_tar().add("n01.tar", class_tar({{"a.JPEG", "A"}})).finish(),
          {"n01", "the image n01/a.JPEG twice"});
  refused(TarMaker().add("a/x/1", bytes_of("1")).add("b/y/2", bytes_of("2")).finish(),
          {"must lie side by side", "b/y/2"});
}

TEST_F(Source, RefusesWhatItDoesNotKnow) {
  expect_refused(options("nowhere"), {"nowhere", "not a folder, tar or list", "No such file"});
  write("bytes", Bytes(2000, 1));
  expect_refused(options("bytes"), {"neither a tar nor a list"});
  write("gz", Bytes{0x1F, 0x8B, 8, 0});
  expect_refused(options("gz"), {"gz is compressed", "plain tar"});
  write("list", "\n  \n");
  expect_refused(options("list"), {"list", "is empty", "'PATH CLASS'"});
  write("list", "a.jpg cat\nb.jpg\n");
  expect_refused(options("list"), {"line 2 of", "b.jpg"});
  write("list", "a.jpg cat\na.jpg dog\n");
  expect_refused(options("list"), {"line 2 of", "lists a.jpg again"});
}

TEST_F(Source, ListsWhatIsNoImage) {
  Bytes link = tar_header("n01/link.JPEG", 0, '2');
  write("mixed.tar", training_tar().add("README", bytes_of("text")).finish());
  const auto nested = open(options("mixed.tar"));
  ASSERT_EQ(nested->listing().issues.size(), 1u);
  EXPECT_EQ(nested->listing().issues[0].file, "README");
  write("folders.tar", TarMaker()
                           .add("n01/a.JPEG", bytes_of("A"))
                           .add("stray", bytes_of("s"))
                           .add_block(link)
                           .add("n02/b.JPEG", bytes_of("B"))
                           .finish());
  const auto folders = open(options("folders.tar"));
  EXPECT_EQ(folders->listing().images.size(), 2u);
  ASSERT_EQ(folders->listing().issues.size(), 2u);
  EXPECT_EQ(folders->listing().issues[0].what, "is in no class folder");
  EXPECT_EQ(folders->listing().issues[1].what, "is not a file");
}

TEST_F(Source, ChecksumChangesWithTheListing) {
  write("list", "a n1\nb n2\n");
  const auto before = open(options("list"))->listing().checksum();
  EXPECT_EQ(open(options("list"))->listing().checksum(), before);
  for (const char* text : {"a n1\nc n2\n", "a n1\nb n1\n", "a n1\nb n3\n", "a n1\nb n2\nc n2\n"}) {
    write("list", text);
    EXPECT_NE(open(options("list"))->listing().checksum(), before) << text;
  }
}

}  // namespace
}  // namespace convoy
