// The command lines of mpirun, word by word.
#include "launcher/cluster/mpirun.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace convoy {
namespace {

using testing::ElementsAre;

MpiJob job_on(Placement placement, std::vector<Host> hosts) {
  MpiJob job;
  job.placement = placement;
  job.ranks = total_ranks(hosts);
  job.hosts = std::move(hosts);
  job.agent = "ssh -p 2222";
  job.program = {"/opt/convoy", "train", "--run.dir", "a b"};
  return job;
}

TEST(Mpirun, StartsLocalRanksWhateverTheSurroundingsOffer) {
  MpiJob job = job_on(Placement::local, {{"localhost", 2}});
  job.cores_per_rank = 4;
  EXPECT_THAT(mpirun_command(job),
              ElementsAre("mpirun", "--mca", "plm", "isolated", "--mca", "ras", "^slurm", "--host",
                          "localhost:2", "-n", "2", "--map-by", "slot:PE=4", "--bind-to", "core",
                          "/opt/convoy", "train", "--run.dir", "a b"));
}

TEST(Mpirun, ReachesHostsThroughTheAgentAndNoticesTheirLoss) {
  MpiJob job = job_on(Placement::hosts, {{"c1", 1}, {"c2", 2}});
  job.interface = "10.1.0.0/16";
  job.timeout = 9;
  job.crowded = true;
  EXPECT_THAT(
      mpirun_command(job),
      ElementsAre("mpirun", "--mca", "plm", "rsh", "--mca", "ras", "^slurm", "--mca",
                  "plm_rsh_agent", "ssh -p 2222", "--host", "c1:1,c2:2", "-n", "3", "--map-by",
                  "slot", "--bind-to", "none", "--mca", "mpi_yield_when_idle", "1", "--mca",
                  "oob_tcp_keepalive_time", "5", "--mca", "oob_tcp_keepalive_intvl", "1", "--mca",
                  "oob_tcp_keepalive_probes", "4", "--mca", "oob_tcp_if_include", "10.1.0.0/16",
                  "--mca", "btl_tcp_if_include", "10.1.0.0/16", "/opt/convoy", "train", "--run.dir",
                  "a b"));
}

TEST(Mpirun, LeavesAnAllocationsHostsToSlurm) {
  MpiJob job = job_on(Placement::allocation, {});
  job.ranks = 8;
  job.timeout = 0;
  job.logs = "/runs/logs/start-1";
  job.mpirun = "/opt/mpi/bin/mpirun";
  EXPECT_THAT(mpirun_command(job),
              ElementsAre("/opt/mpi/bin/mpirun", "-n", "8", "--map-by", "slot", "--bind-to", "none",
                          "--output-filename", "/runs/logs/start-1", "/opt/convoy", "train",
                          "--run.dir", "a b"));
}

TEST(Mpirun, TakesValuesOfVariablesFromItsOwnEnvironment) {
  MpiJob job = job_on(Placement::allocation, {});
  job.timeout = 0;
  job.program = {"convoy"};
  job.env = {{"PATH", false, ""}, {"A", true, "x;y z"}};
  EXPECT_THAT(mpirun_command(job),
              ElementsAre("env", "A=x;y z", "mpirun", "-n", "0", "--map-by", "slot", "--bind-to",
                          "none", "-x", "PATH", "-x", "A", "convoy"));
}

TEST(CoresPerRank, IsTheSmallestShare) {
  EXPECT_EQ(cores_per_rank({{"a", 2}, {"b", 4}}, {16, 24}), 6);
  EXPECT_EQ(cores_per_rank({{"a", 2}, {"b", 4}}, {16, 3}), 0);
  EXPECT_EQ(cores_per_rank({{"a", 1}}, {0}), 0);
}

TEST(OpenMpiMajor, IsReadFromItsVersion) {
  EXPECT_EQ(open_mpi_major("mpirun (Open MPI) 4.1.4\n\nReport bugs"), 4);
  EXPECT_EQ(open_mpi_major("mpirun (Open MPI) 5.0.2"), 5);
  EXPECT_EQ(open_mpi_major("HYDRA build details:"), 0);
}

}  // namespace
}  // namespace convoy
