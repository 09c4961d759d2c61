// #SBATCH lines hold only characters that the options' own checks let through; whatever may hold
// others stands in the command, quoted.
#include "launcher/cluster/batch_script.h"

#include <algorithm>

#include "core/error.h"
#include "launcher/cluster/quote.h"

namespace convoy {
namespace {

struct Shape {
  std::int64_t nodes = 1;
  std::int64_t per_node = 1;
};

Shape shape_of(const ClusterOptions& cluster) {
  const std::int64_t ranks = cluster.ranks;
  Shape shape{cluster.slurm.nodes, cluster.ranks_per_host};
  if (shape.nodes > 0 && ranks > 0 && shape.per_node == 0) {
    shape.per_node = (ranks + shape.nodes - 1) / shape.nodes;
  }
  shape.per_node = std::max<std::int64_t>(shape.per_node, 1);
  if (shape.nodes == 0) {
    shape.nodes = std::max<std::int64_t>(1, (ranks + shape.per_node - 1) / shape.per_node);
  }
  if (ranks > 0 && ranks != shape.nodes * shape.per_node) {
    fail(ExitCode::usage,
         "{} nodes with {} ranks each make {} ranks, not {}; set two of slurm.nodes, "
         "cluster.ranks-per-host and cluster.ranks, or three that fit",
         shape.nodes, shape.per_node, shape.nodes * shape.per_node, ranks);
  }
  return shape;
}

std::string directives(const ClusterOptions& cluster) {
  const SlurmOptions& slurm = cluster.slurm;
  const Shape shape = shape_of(cluster);
  std::string text;
  const auto line = [&](const std::string& option) { text += "#SBATCH --" + option + '\n'; };
  const auto given = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) line(name + '=' + value);
  };
  const auto positive = [&](const std::string& name, std::int64_t value) {
    if (value > 0) line(fmt::format("{}={}", name, value));
  };
  given("job-name", slurm.job_name);
  given("partition", slurm.partition);
  positive("nodes", shape.nodes);
  positive("ntasks-per-node", shape.per_node);
  positive("cpus-per-task", slurm.cpus_per_rank);
  positive("gpus-per-node", slurm.gpus_per_node);
  given("time", slurm.time);
  given("account", slurm.account);
  given("qos", slurm.qos);
  given("constraint", slurm.constraint);
  if (!cluster.logs.empty()) {
    // Slurm takes no blanks here, and % for its own signs.
    if (cluster.logs.string().find_first_of(" \t\"'\\%") != std::string::npos) {
      fail(ExitCode::usage,
           "cluster.logs is '{}'; for SLURM it must be without blanks, quotes and %",
           cluster.logs.string());
    }
    given("output", (cluster.logs / "slurm-%j.out").string());
  }
  // Restarts append to the output, and the signal goes to the batch process: launch itself.
  line("open-mode=append");
  line(cluster.requeues > 0 ? "requeue" : "no-requeue");
  if (cluster.requeues > 0) line(fmt::format("signal=B:USR1@{}", slurm.signal_lead));
  if (!slurm.extra.empty()) {
    for (const std::string& option : split(slurm.extra, ',')) {
      if (!option.empty()) line(option);
    }
  }
  return text;
}

std::vector<std::string> launch_again(const ClusterOptions& cluster, const std::string& program,
                                      const std::vector<std::string>& command) {
  std::vector<std::string> words{program, "launch", "--cluster.kind", "allocation"};
  ClusterOptions defaults;
  ClusterOptions wanted = cluster;
  const OptionTable usual = cluster_table(defaults);
  const OptionTable table = cluster_table(wanted);
  for (const char* key :
       {"cluster.mpirun", "cluster.interface", "cluster.bind", "cluster.env", "cluster.restarts",
        "cluster.requeues", "cluster.timeout", "cluster.logs"}) {
    if (table.value(key) == usual.value(key)) continue;
    words.push_back(std::string("--") + key);
    words.push_back(table.value(key));
  }
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

}  // namespace

std::string batch_script(const ClusterOptions& cluster, const std::filesystem::path& folder,
                         const std::string& program, const std::vector<std::string>& command) {
  return fmt::format("#!/bin/bash\n{}\ncd {} || exit {}\nexec {}\n", directives(cluster),
                     shell_quoted(folder.string()), static_cast<int>(ExitCode::resource),
                     shell_quoted(launch_again(cluster, program, command)));
}

std::string submitted_job(const std::string& text) {
  const std::string number = text.substr(0, text.find_first_of(";\n"));
  const bool digits =
      !number.empty() && number.find_first_not_of("0123456789") == std::string::npos;
  return digits ? number : std::string();
}

}  // namespace convoy
