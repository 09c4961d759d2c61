// The registration of launch's options: key, field, range, and a description with its unit.
#include "launcher/cluster/options.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace convoy {
namespace {

using Whole = Bounds<std::int64_t>;

constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

// Texts of these characters need no quotes anywhere: not in #SBATCH lines, whose quoting rules are
// Slurm's own, and not in lists that mpirun splits.
auto made_of(std::string_view others) {
  return [allowed = std::string(kLetters) + std::string(others)](const std::string& text) {
    return text.find_first_not_of(allowed) == std::string::npos &&
           (text.empty() || text.front() != '-');
  };
}

bool is_env_name(std::string_view name) {
  return !name.empty() && (name.front() < '0' || name.front() > '9') &&
         name.find_first_not_of(std::string(kLetters) + "_") == std::string_view::npos;
}

void add_slurm(OptionTable& table, SlurmOptions& slurm) {
  const std::string word = "a name of letters, digits and ._-, or empty";
  table.text("slurm.job-name", slurm.job_name, "NAME", word, made_of("._-"), "name of the job");
  table.text("slurm.partition", slurm.partition, "NAME", word, made_of("._-"),
             "partition; empty: the site's default");
  table.number("slurm.nodes", slurm.nodes, Whole{.low = 0},
               "nodes; 0: as many as cluster.ranks and cluster.ranks-per-host make");
  table.number("slurm.gpus-per-node", slurm.gpus_per_node, Whole{.low = 0},
               "GPUs of each node; 0: none are asked for");
  table.number("slurm.cpus-per-rank", slurm.cpus_per_rank, Whole{.low = 0},
               "processors of each rank; 0: as the site gives");
  table.text("slurm.time", slurm.time, "TIME", "a time such as 30, 12:00:00 or 2-00, or empty",
             made_of(":-"), "time limit, as sbatch takes it; empty: the partition's");
  table.text("slurm.account", slurm.account, "NAME", word, made_of("._-"), "account that pays");
  table.text("slurm.qos", slurm.qos, "NAME", word, made_of("._-"), "quality of service");
  table.text("slurm.constraint", slurm.constraint, "FEATURES",
             "features without blanks and quotes, or empty", made_of("._-&|!*[]()@:,"),
             "features that nodes must have");
  table.number("slurm.signal-lead", slurm.signal_lead, Whole{.low = 0, .high = 65535},
               "seconds before the time limit at which the job writes a checkpoint and goes back "
               "into the queue; Slurm may be up to a minute early");
  table.text("slurm.options", slurm.extra, "NAME=VALUE,...",
             "options of sbatch without dashes in front, such as mem=16G,exclusive, or empty",
             made_of("._-=/:+%@&|,"), "further options of sbatch");
}

}  // namespace

OptionTable cluster_table(ClusterOptions& cluster) {
  OptionTable table;
  table.flag("dry-run", cluster.dry_run, "print what would run or be submitted, and nothing else");
  table.choice("cluster.kind", cluster.kind, {"auto", "local", "hosts", "allocation", "slurm"},
               "where ranks run: on this host, on cluster.hosts, in the SLURM allocation that the "
               "command was started in, or as a batch job that slurm submits; auto: what is given");
  table.text(
      "cluster.hosts", cluster.hosts, "HOST[:N],...", "host names separated by commas",
      [](const std::string&) { return true; }, "hosts, with their number of ranks: c1,c2:2");
  table.path("cluster.hosts-file", cluster.hosts_file, "FILE",
             "hosts, one a line: c1, c1:2 or c1 slots=2");
  table.number("cluster.ranks", cluster.ranks, Whole{.low = 0, .high = 1 << 16},
               "ranks together; 0: as many as the hosts take");
  table.number("cluster.ranks-per-host", cluster.ranks_per_host, Whole{.low = 0, .high = 4096},
               "ranks of each host that does not say; 0: an even share of cluster.ranks, or one");
  table.path("cluster.mpirun", cluster.mpirun, "PROGRAM",
             "Open MPI's mpirun; an absolute path is used on the other hosts too");
  table.text(
      "cluster.agent", cluster.agent, "PROGRAM", "a program and its options, such as ssh -p 2222",
      [](const std::string& text) {
        return !text.empty() && made_of(" ._-/=@+,")(text) && text.find("  ") == std::string::npos;
      },
      "starts a command on a host: AGENT HOST COMMAND");
  table.text("cluster.interface", cluster.interface, "NAME|NETWORK",
             "interfaces or networks, such as eth0 or 10.1.0.0/16, or empty", made_of("._-/:,"),
             "network that ranks talk through; empty: MPI's choice");
  table.choice("cluster.bind", cluster.bind, {"auto", "cores", "none"},
               "cores: each rank keeps to its share of its host's cores; auto: where there are "
               "enough; none: the system places threads");
  table.text(
      "cluster.env", cluster.env, "NAME[=VALUE],...",
      "names of variables, with or without =VALUE, separated by commas",
      [](const std::string& text) {
        std::vector<EnvSetting> settings;
        return parse_env(text, settings);
      },
      "environment variables for the ranks, as they are here or as given; a comma in a value is "
      "written \\,");
  table.number("cluster.restarts", cluster.restarts, Whole{.low = 0, .high = 1000},
               "how often the job is started again, from its last checkpoint, when a rank or a "
               "host failed");
  table.number("cluster.requeues", cluster.requeues, Whole{.low = 0, .high = 1000},
               "batch jobs: how often the job goes back into SLURM's queue when its time ran out "
               "or a rank or node failed");
  table.number("cluster.timeout", cluster.timeout, Whole{.low = 0, .high = 3600},
               "seconds after which a host that does not answer ends the job; 0: never");
  table.path("cluster.logs", cluster.logs, "DIR",
             "folder for what each rank prints, a file a rank, on the rank's host; empty: none");
  add_slurm(table, cluster.slurm);
  return table;
}

bool parse_env(const std::string& text, std::vector<EnvSetting>& settings) {
  settings.clear();
  if (text.empty()) return true;
  EnvSetting setting;
  const auto finish = [&] {
    const bool good = is_env_name(setting.name);
    settings.push_back(std::exchange(setting, {}));
    return good;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ',') {
      if (!finish()) return false;
      continue;
    }
    if (c == '=' && !setting.has_value) {
      setting.has_value = true;
      continue;
    }
    if (c == '\\') {
      if (++i == text.size() || (text[i] != ',' && text[i] != '\\')) return false;
      c = text[i];
    }
    (setting.has_value ? setting.value : setting.name) += c;
  }
  return finish();
}

}  // namespace convoy
