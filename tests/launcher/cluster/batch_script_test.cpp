// Batch scripts, line by line.
#include "launcher/cluster/batch_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/launcher/refusal.h"

namespace convoy {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string script(const ClusterOptions& cluster) {
  return batch_script(cluster, "/home/me/my runs", "/opt/convoy",
                      {"train", "--run.dir", "it's; rm -rf $HOME"});
}

TEST(BatchScript, AsksForWhatWasGivenAndHandsOver) {
  ClusterOptions cluster;
  cluster.ranks = 8;
  cluster.ranks_per_host = 4;
  cluster.requeues = 3;
  cluster.env = "A=b c,PATH";
  cluster.slurm.partition = "gpu";
  cluster.slurm.gpus_per_node = 4;
  cluster.slurm.time = "12:00:00";
  cluster.slurm.extra = "mem=16G,exclusive";
  EXPECT_EQ(script(cluster),
            "#!/bin/bash\n"
            "#SBATCH --job-name=convoy\n"
            "#SBATCH --partition=gpu\n"
            "#SBATCH --nodes=2\n"
            "#SBATCH --ntasks-per-node=4\n"
            "#SBATCH --gpus-per-node=4\n"
            "#SBATCH --time=12:00:00\n"
            "#SBATCH --open-mode=append\n"
            "#SBATCH --requeue\n"
            "#SBATCH --signal=B:USR1@120\n"
            "#SBATCH --mem=16G\n"
            "#SBATCH --exclusive\n"
            "\n"
            "cd '/home/me/my runs' || exit 7\n"
            "exec /opt/convoy launch --cluster.kind allocation --cluster.env 'A=b c,PATH' "
            "--cluster.requeues 3 -- train --run.dir 'it'\\''s; rm -rf $HOME'\n");
}

TEST(BatchScript, IsNotRequeuedUnlessAskedTo) {
  ClusterOptions cluster;
  EXPECT_THAT(script(cluster), HasSubstr("#SBATCH --no-requeue\n"));
  EXPECT_THAT(script(cluster), Not(HasSubstr("--signal")));
  EXPECT_THAT(script(cluster), HasSubstr("#SBATCH --nodes=1\n#SBATCH --ntasks-per-node=1\n"));
}

TEST(BatchScript, RefusesNodesAndRanksThatDoNotFit) {
  ClusterOptions cluster;
  cluster.ranks = 5;
  cluster.slurm.nodes = 2;
  EXPECT_EQ(refusal([&] { (void)script(cluster); }),
            "2 nodes with 3 ranks each make 6 ranks, not 5; set two of slurm.nodes, "
            "cluster.ranks-per-host and cluster.ranks, or three that fit");
}

TEST(BatchScript, RefusesLogsThatSlurmWouldReadOtherwise) {
  ClusterOptions cluster;
  cluster.logs = "my logs";
  EXPECT_EQ(refusal([&] { (void)script(cluster); }),
            "cluster.logs is 'my logs'; for SLURM it must be without blanks, quotes and %");
}

// A value that could end a line of the script or begin another is refused before it gets there.
TEST(BatchScript, HasNoOptionThatCouldAddALine) {
  ClusterOptions cluster;
  const OptionTable table = cluster_table(cluster);
  for (const Option& option : table.options()) {
    if (option.section() != "slurm") continue;
    for (const char* text : {"a\nb", "a b", "a\"b", "a'b", "a#b", "$(x)", "`x`", "a\\b", "-x"}) {
      EXPECT_FALSE(option.set(text)) << option.key << ' ' << text;
    }
  }
}

TEST(SubmittedJob, IsTheNumberAlone) {
  EXPECT_EQ(submitted_job("12\n"), "12");
  EXPECT_EQ(submitted_job("12;north\n"), "12");
  EXPECT_EQ(submitted_job("Submitted batch job 12"), "");
  EXPECT_EQ(submitted_job(""), "");
}

}  // namespace
}  // namespace convoy
