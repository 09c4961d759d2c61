// The command line that starts a job's ranks, made from a description of the job.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "launcher/cluster/hosts.h"
#include "launcher/cluster/options.h"

namespace convoy {

enum class Placement { local, hosts, allocation };

struct MpiJob {
  Placement placement = Placement::local;
  std::string mpirun = "mpirun";
  std::vector<Host> hosts;          // with settled ranks; none in an allocation
  std::int64_t ranks = 1;           // together
  std::int64_t cores_per_rank = 0;  // that each rank is bound to; 0: none
  bool crowded = false;             // a host has fewer cores than ranks: waiting ranks give way
  std::string agent;
  std::string interface;
  std::int64_t timeout = 10;  // seconds
  std::filesystem::path logs;
  std::vector<EnvSetting> env;
  std::vector<std::string> program;  // with its arguments
};

// An argument vector; its first word is `env` where variables get values, else mpirun.
[[nodiscard]] std::vector<std::string> mpirun_command(const MpiJob& job);

// How many cores each rank gets when every host shares its cores out evenly; 0 where some host has
// fewer cores than ranks.
[[nodiscard]] std::int64_t cores_per_rank(const std::vector<Host>& hosts,
                                          const std::vector<std::int64_t>& cores);

// The major version in what `mpirun --version` prints; 0: this is not Open MPI.
[[nodiscard]] int open_mpi_major(const std::string& version_text);

}  // namespace convoy
