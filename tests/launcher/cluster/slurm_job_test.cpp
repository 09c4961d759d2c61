// What Slurm's variables say about an allocation.
#include "launcher/cluster/slurm_job.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/launcher/refusal.h"

namespace convoy {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST(PerNodeNumbers, AreWrittenOut) {
  EXPECT_EQ(per_node_numbers("16"), (Numbers{16}));
  EXPECT_EQ(per_node_numbers("2(x3),1"), (Numbers{2, 2, 2, 1}));
  for (const char* text : {"", "x", "2(x", "2(x0)", "2(x2", "2()"}) {
    EXPECT_TRUE(per_node_numbers(text).empty()) << text;
  }
}

class AllocationTest : public testing::Test {
 protected:
  void SetUp() override { clear(); }
  void TearDown() override { clear(); }
  static void set(const char* name, const char* value) { setenv(name, value, 1); }
  static void clear() {
    for (const char* name :
         {"SLURM_JOB_ID", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS", "SLURM_RESTART_COUNT",
          "ENVIRONMENT", "SLURM_CPUS_ON_NODE", "SLURM_JOB_CPUS_PER_NODE", "SLURM_TASKS_PER_NODE"}) {
      unsetenv(name);
    }
  }
};

TEST_F(AllocationTest, IsNothingOutsideOfOne) { EXPECT_FALSE(current_allocation().has_value()); }

TEST_F(AllocationTest, IsReadFromTheEnvironment) {
  set("SLURM_JOB_ID", "17");
  set("SLURM_NTASKS", "5");
  set("SLURM_RESTART_COUNT", "2");
  set("ENVIRONMENT", "BATCH");
  set("SLURM_CPUS_ON_NODE", "16");
  set("SLURM_JOB_CPUS_PER_NODE", "16(x2),4");
  set("SLURM_TASKS_PER_NODE", "2(x2),1");
  const auto found = current_allocation();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->job, "17");
  EXPECT_EQ(found->tasks, 5);
  EXPECT_EQ(found->restarts, 2);
  EXPECT_TRUE(found->batch);
  EXPECT_EQ(found->cpus_on_this_node, 16);
  EXPECT_EQ(found->cpus_of_rank, 4);
}

TEST_F(AllocationTest, RefusesToLaunchFromEveryTask) {
  set("SLURM_JOB_ID", "17");
  set("SLURM_STEP_NUM_TASKS", "4");
  EXPECT_EQ(refusal([] { (void)current_allocation(); }),
            "srun has started 4 tasks, each of which would launch the job; call convoy launch "
            "without srun");
}

}  // namespace
}  // namespace convoy
