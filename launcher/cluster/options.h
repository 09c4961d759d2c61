// How a job is started: the options of `convoy launch`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "launcher/option_table.h"

namespace convoy {

struct SlurmOptions {
  std::string job_name = "convoy";
  std::string partition;
  std::int64_t nodes = 0;  // 0: by cluster.ranks
  std::int64_t gpus_per_node = 0;
  std::int64_t cpus_per_rank = 0;  // 0: what the site gives
  std::string time;
  std::string account;
  std::string qos;
  std::string constraint;
  std::int64_t signal_lead = 120;  // seconds before the time limit
  std::string extra;               // further options of sbatch without their dashes, by commas
};

struct ClusterOptions {
  std::string kind = "auto";
  std::string hosts;
  std::filesystem::path hosts_file;
  std::int64_t ranks = 0;  // 0: by the hosts
  std::int64_t ranks_per_host = 0;
  std::filesystem::path mpirun = "mpirun";
  std::string agent = "ssh";
  std::string interface;
  std::string bind = "auto";
  std::string env;
  std::int64_t restarts = 0;
  std::int64_t requeues = 0;
  std::int64_t timeout = 10;  // seconds; 0: never
  std::filesystem::path logs;
  SlurmOptions slurm;
  bool dry_run = false;
};

[[nodiscard]] OptionTable cluster_table(ClusterOptions& cluster);

// A variable that ranks get: with the value that it has where the job is started, or with another.
struct EnvSetting {
  std::string name;
  bool has_value = false;
  std::string value;

  bool operator==(const EnvSetting&) const = default;
};
// "NAME,NAME=VALUE"; in a value "\," is a comma and "\\" a backslash. False where it is anything
// else.
[[nodiscard]] bool parse_env(const std::string& text, std::vector<EnvSetting>& settings);

}  // namespace convoy
