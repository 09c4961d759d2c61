// Tars read in place: members where they are, and a sentence for every kind of lie.
#include "io/pack/tar_file.h"

#include <gtest/gtest.h>

#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"
#include "tests/io/support/tar_maker.h"

namespace convoy {
namespace {

class Tar : public testing::Test {
 protected:
  TarFile write(const Bytes& bytes) const {
    write_bytes(path_, bytes);
    return TarFile(path_);
  }
  std::vector<TarMember> members(const Bytes& bytes) const {
    const TarFile tar = write(bytes);
    return tar.members({0, tar.bytes()}, "a.tar");
  }
  void expect_refused(const Bytes& bytes, std::initializer_list<std::string> words) const {
    expect_error(ExitCode::bad_data, words, [&] { (void)members(bytes); });
  }
  Bytes content(const TarFile& tar, const TarMember& member) const {
    Bytes bytes(static_cast<std::size_t>(member.bytes));
    EXPECT_EQ(tar.read(member.offset, bytes), bytes.size());
    return bytes;
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "a.tar";
};

TEST_F(Tar, MembersAreWhereTheyAre) {
  const Bytes inner = TarMaker().add("x.jpg", bytes_of("inner")).finish();
  const TarFile tar = write(TarMaker()
                                .add("./a/1.jpg", bytes_of("one"))
                                .add("2.jpg", Bytes(512, '2'))
                                .add_block(tar_header("folder/", 0, '5'))
                                .add_block(tar_header("link", 0, '2'))
                                .add("inner.tar", inner)
                                .add("empty", {})
                                .finish());
  const auto members = tar.members({0, tar.bytes()}, "a.tar");
  ASSERT_EQ(members.size(), 5u);
  EXPECT_EQ(members[0].name, "a/1.jpg");
  EXPECT_EQ(content(tar, members[0]), bytes_of("one"));
  EXPECT_EQ(content(tar, members[1]), Bytes(512, '2'));
  EXPECT_FALSE(members[2].regular);
  EXPECT_EQ(members[4].bytes, 0);

  const Range range{members[3].offset, members[3].offset + members[3].bytes};
  EXPECT_TRUE(tar.is_tar(range));
  EXPECT_FALSE(tar.is_tar({members[1].offset, members[1].offset + 512}));
  const auto nested = tar.members(range, "inner.tar");
  ASSERT_EQ(nested.size(), 1u);
  EXPECT_EQ(content(tar, nested[0]), bytes_of("inner"));
}

TEST_F(Tar, ReadsLongAndForeignNames) {
  const std::string name(150, 'n');
  const Bytes tar = TarMaker()
                        .add_block(tar_header("././@LongLink", name.size() + 1, 'L'))
                        .add_block([&] {
                          Bytes block = bytes_of(name);
                          block.resize(512, 0);
                          return block;
                        }())
                        .add("cut", bytes_of("1"))
                        .add("\xFC.jpg", bytes_of("2"))
                        .finish();
  const auto found = members(tar);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, name);
  EXPECT_EQ(found[1].name, "\xFC.jpg");
}

TEST_F(Tar, RefusesLies) {
  const Bytes good = TarMaker().add("1.jpg", Bytes(700, 'x')).add("2.jpg", Bytes(9, 'y')).finish();
  ASSERT_EQ(members(good).size(), 2u);
  const auto cut = [&](std::ptrdiff_t bytes) { return Bytes(good.begin(), good.begin() + bytes); };
  expect_refused(cut(900), {"a.tar", "1.jpg", "700 bytes"});       // inside an image
  expect_refused(cut(1536), {"a.tar", "cut short", "end mark"});   // between two images
  expect_refused(cut(1536 + 100), {"a.tar", "damaged", "1.jpg"});  // inside a header
  expect_refused(TarMaker().add("1.jpg", {}).without_end(), {"end mark"});

  Bytes header = good;
  header[1536 + 3] ^= 1;
  expect_refused(header, {"a.tar is damaged after 1.jpg"});
  expect_refused(TarMaker().add_block(tar_header("huge.jpg", std::size_t{1} << 32)).finish(),
                 {"huge.jpg", "4294967296 bytes", "ends at byte"});
  Bytes joined = good;
  append(joined, good);
  expect_refused(joined, {"after its end mark", "several tars joined"});
}

// Whatever a bit of a tar becomes, it is read or refused.
TEST_F(Tar, SurvivesDamage) {
  const Bytes good = TarMaker()
                         .add("1.jpg", bytes_of("one"))
                         .add_block(tar_header("././@LongLink", 200, 'L'))
                         .add_block(Bytes(512, 'n'))
                         .add("2.jpg", bytes_of("two"))
                         .finish();
  int refused = 0;
  for (std::size_t at = 0; at < good.size(); at += 17) {
    Bytes damaged = good;
    damaged[at] ^= static_cast<std::uint8_t>(1 << (at % 8));
    try {
      for (const TarMember& member : members(damaged)) {
        EXPECT_LE(member.offset + member.bytes, std::ssize(damaged));
      }
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      ++refused;
    }
  }
  EXPECT_GT(refused, 80);  // all headers' bytes are under a checksum
}

TEST_F(Tar, KnowsAHeader) {
  EXPECT_TRUE(TarFile::is_header(tar_header("a", 1)));
  EXPECT_FALSE(TarFile::is_header(Bytes(512, 0)));
  EXPECT_FALSE(TarFile::is_header(Bytes(512, ' ')));
  EXPECT_FALSE(TarFile::is_header(Bytes(100, 0)));
}

}  // namespace
}  // namespace convoy
