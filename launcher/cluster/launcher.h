// Starts a job's ranks, watches over them, and starts them again.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "launcher/cluster/options.h"

namespace convoy {

struct LaunchJob {
  ClusterOptions cluster;  // kind is settled: local, hosts or allocation
  std::string name;        // the command of convoy that is started, and its words
  std::vector<std::string> arguments;
  bool parallel = true;                       // several ranks may run it
  std::vector<std::filesystem::path> inputs;  // that every host must have

  [[nodiscard]] std::vector<std::string> words() const;
};

// The path of this program.
[[nodiscard]] std::string program_path();

// Returns when the job is done. Throws Error with the job's exit code and one sentence otherwise.
// cluster.dry_run: prints the command line to `out` instead.
void launch(const LaunchJob& job, std::ostream& out);

}  // namespace convoy
