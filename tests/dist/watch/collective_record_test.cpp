// The record of collectives: what a reader sees of it, also of files that are cut or damaged.
#include "dist/watch/collective_record.h"

#include <cstddef>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dist/watch/record_file.h"
#include "io/files/temporary_folder.h"
#include "tests/io/support/expect_error.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(CollectiveRecord, TellsTheOldestCollectiveThatIsWaitedIn) {
  CollectiveRecord record(3, 4, "node7", 1);
  const std::size_t group = record.add_group(99, "ranks 1 and 3");
  record.name_layers({"conv1", "fc6"});
  record.set_step(7);
  EXPECT_EQ(at_text(record.standing()), "step 7, start of the run");
  record.set_place(Phase::backward, 1);

  const std::uint64_t first = record.enter(group, 1, "gradients", 400, 60);
  const std::uint64_t second = record.enter(group, 2, "gradients", 800, 60);
  EXPECT_EQ(record.standing().waits_in.sequence, 0U) << "it goes on with other work";
  record.wait(second, true);
  record.wait(first, true);
  const Standing standing = record.standing();
  EXPECT_EQ(standing.rank, 3);
  EXPECT_EQ(standing.host, "node7");
  EXPECT_EQ(at_text(standing), "step 7, fc6 backward");
  EXPECT_EQ(text_of(standing.waits_in), "collective 1 of ranks 1 and 3, 'gradients' of 400 bytes");
  EXPECT_EQ(standing.waits_in.limit, 60);
  ASSERT_EQ(standing.groups.size(), 1U);
  EXPECT_EQ(standing.groups[0].entered, 2U);
  EXPECT_EQ(standing.groups[0].left, 0U);

  record.leave(first, group, 1);
  EXPECT_EQ(record.standing().waits_in.sequence, second);
  EXPECT_EQ(record.standing().groups[0].left, 1U);
  record.remove_group(group);
  EXPECT_TRUE(record.standing().groups.empty());
}

TEST(CollectiveRecord, KeepsTheNewest) {
  CollectiveRecord record(0, 1, "node7", 1);
  const std::size_t group = record.add_group(5, "rank 0");
  const std::uint64_t old = record.enter(group, 1, "old", 1, 60);
  record.wait(old, true);
  for (std::uint64_t i = 2; i < 2 + record::kSlots; ++i)
    record.leave(record.enter(group, i, "new", 1, 60), group, i);
  EXPECT_EQ(slot_of(record.image(), old), nullptr);
  record.wait(old, true);  // must not touch the collective that took its place
  record.leave(old, group, 1);
  EXPECT_EQ(record.standing().waits_in.sequence, 0U);
  EXPECT_EQ(record.standing().groups[0].left, 1 + record::kSlots);
  for (std::uint64_t i = 2; i < 2 + record::kSlots; ++i) {
    ASSERT_NE(slot_of(record.image(), i), nullptr);
    EXPECT_EQ(slot_of(record.image(), i)->number, i);
    EXPECT_EQ(slot_of(record.image(), i)->name.load(), "new");
  }
}

TEST(CollectiveRecord, IsReadWhileItIsWritten) {
  CollectiveRecord record(0, 1, "node7", 1);
  const std::size_t group = record.add_group(5, "rank 0");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::uint64_t i = 1; !stop; ++i) {
      const std::uint64_t sequence =
          record.enter(group, i, std::to_string(i), static_cast<std::int64_t>(i), 60);
      record.wait(sequence, true);
      record.leave(sequence, group, i);
    }
  });
  for (int look = 0; look < 2000; ++look) {
    const AwaitedCollective awaited = record.standing().waits_in;
    if (awaited.sequence == 0) continue;
    ASSERT_EQ(awaited.name, std::to_string(awaited.number)) << "of two collectives";
    ASSERT_EQ(awaited.bytes, static_cast<std::int64_t>(awaited.number));
  }
  stop = true;
  writer.join();
}

// A folder with the record of a rank that entered a collective and was lost in it.
class RecordFiles : public testing::Test {
 protected:
  void SetUp() override {
    CollectiveRecord record(1, 2, "node7", 42);
    record.enter(record.add_group(5, "ranks 0 and 1"), 1, "before", 8, 60);
    record.keep_in(folder_.path());
    record.set_step(12);
    const std::uint64_t sequence = record.enter(0, 2, "after", 16, 60);
    record.wait(sequence, true);
  }
  [[nodiscard]] fs::path path() const { return record_path(folder_.path(), 1); }
  void change(std::size_t place, std::uint64_t value) const {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(place));
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
  TemporaryFolder folder_;
};

TEST_F(RecordFiles, OutliveTheRecord) {
  const RecordFile file(path());
  const Standing standing = standing_of(file.image());
  EXPECT_EQ(standing.step, 12);
  EXPECT_EQ(standing.waits_in.name, "after");
  EXPECT_EQ(standing.waits_in.ranks, "ranks 0 and 1");
  EXPECT_EQ(slot_of(file.image(), 1)->name.load(), "before");
  EXPECT_TRUE(file.process_lives()) << "it is this one";
}

TEST_F(RecordFiles, AreRefusedWhereTheyAreCutForeignOrDamaged) {
  const auto refused = [&](const std::string& words) {
    expect_error(ExitCode::bad_data, {path().string(), words}, [&] { RecordFile file(path()); });
  };
  change(offsetof(record::Header, version), 9);
  refused("it is of version 9");
  change(offsetof(record::Header, version), record::kVersion);
  change(offsetof(record::Header, rank), 2);
  refused("rank 2 of 2");
  change(offsetof(record::Header, rank), 1);
  change(offsetof(record::Image, slots) + 7 * sizeof(record::Slot), 6);
  refused("its entry 7 is damaged");
  change(offsetof(record::Image, slots) + 7 * sizeof(record::Slot), 0);
  change(offsetof(record::Header, magic), 0);
  refused("it does not begin as one");
  fs::resize_file(path(), 1000);
  refused("it has 1000 bytes");
  fs::remove(path());
  refused("cannot be read");
}

TEST_F(RecordFiles, NoChangedByteCrashesAReader) {
  const auto size = fs::file_size(path());
  for (std::size_t place = 0; place + 8 <= size; place += 8 * 61) {
    change(place, 0xfefefefefefefefe);
    try {
      const RecordFile file(path());
      static_cast<void>(at_text(standing_of(file.image())));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
    }
  }
}

TEST_F(RecordFiles, OfAnEarlierStartAreLeftOut) {
  CollectiveRecord(0, 2, "node7", 43).keep_in(folder_.path());
  const RecordSet set = read_records(folder_.path() / "collectives");
  ASSERT_EQ(set.ranks.size(), 1U);
  EXPECT_EQ(set.ranks[0].image().header.rank, 0U);
  ASSERT_EQ(set.problems.size(), 1U);
  EXPECT_THAT(set.problems[0], HasSubstr("1 records of an earlier start"));

  CollectiveRecord(0, 1, "node7", 44).keep_in(folder_.path());
  EXPECT_FALSE(fs::exists(path())) << "a job of one rank has no rank 1";
}

}  // namespace
}  // namespace convoy
