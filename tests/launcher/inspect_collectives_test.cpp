// What inspect says of a rank that is gone: also of one that was killed while it wrote its record.
#include <cstddef>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dist/watch/collective_record.h"
#include "io/files/temporary_folder.h"
#include "launcher/inspect.h"

namespace convoy {
namespace {

using testing::ContainsRegex;

// A folder with the record of rank 0, which has left two collectives and entered a third.
class InspectCollectives : public testing::Test {
 protected:
  void SetUp() override {
    CollectiveRecord record(0, 1, "node7", 42);
    record.keep_in(folder_.path());
    const std::size_t group = record.add_group(5, "ranks 0 and 1");
    record.set_step(12);
    record.leave(record.enter(group, 1, "exchange-fc6", 64, 60), group, 1);
    record.leave(record.enter(group, 2, "times", 48, 60), group, 2);
    third_ = record.enter(group, 3, "notices", 20, 60);
  }
  [[nodiscard]] std::string text() const {
    return inspect_collectives(folder_.path() / "collectives");
  }
  void half_write_the_third() const {
    std::fstream file(record_path(folder_.path(), 0),
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offsetof(record::Image, slots) +
                                           third_ * sizeof(record::Slot)));
    const std::uint64_t being_written = 0;
    file.write(reinterpret_cast<const char*>(&being_written), sizeof being_written);
  }

 private:
  TemporaryFolder folder_;
  std::uint64_t third_ = 0;
};

TEST_F(InspectCollectives, TellWhatTheRankEnteredAndLeftLast) {
  EXPECT_THAT(text(), ContainsRegex("12 .* 3 notices, ranks 0 and 1 +20 .* yes +2 times, ranks"));
}

TEST_F(InspectCollectives, OfARankKilledWhileItWroteTellTheOneBefore) {
  half_write_the_third();
  EXPECT_THAT(text(), ContainsRegex("12 .* 2 times, ranks 0 and 1 +48 .* no +2 times, ranks"));
}

}  // namespace
}  // namespace convoy
