// Runs the tests of dist/ on every rank of an mpirun; only rank 0 prints, unless a test fails.
#include <array>

#include <gtest/gtest.h>

#include "tests/dist/test_world.h"

namespace convoy {
namespace {

World* g_world = nullptr;

// Failures of ranks other than 0 would go unseen without their printer.
class FailurePrinter : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (!result.failed()) return;
    fmt::print(stderr, "rank {}: {}:{}: {}\n", g_world->rank(),
               result.file_name() == nullptr ? "?" : result.file_name(), result.line_number(),
               result.summary());
  }
};

}  // namespace

World& test_world() { return *g_world; }

}  // namespace convoy

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  convoy::World world(&argc, &argv);
  convoy::g_world = &world;
  if (world.rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new convoy::FailurePrinter);
  }
  std::array<double, 1> failed{static_cast<double>(RUN_ALL_TESTS())};
  world.split(0)->maximum("result", failed);
  return failed[0] > 0 ? 1 : 0;
}
