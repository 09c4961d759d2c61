// `convoy launch`: starts another command's ranks on this host, on a list of hosts, or under SLURM.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "core/error.h"
#include "launcher/cluster/batch_script.h"
#include "launcher/cluster/launcher.h"
#include "launcher/cluster/options.h"
#include "launcher/cluster/slurm_job.h"
#include "launcher/commands.h"
#include "launcher/nearest.h"

namespace convoy {
namespace {

// Where the launched command's own words begin: behind `--`, or at the first word that is neither
// an option nor the value of one.
std::size_t find_command_word(const std::vector<std::string>& arguments, const OptionTable& table) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--" || !word.starts_with("--")) return i;
    const Option* const option = table.find(word.substr(2));
    if (option != nullptr && !option->is_flag()) ++i;
  }
  return arguments.size();
}

class LaunchCommand : public Command {
 public:
  LaunchCommand()
      : Command(
            {.name = "launch",
             .summary = "starts ranks here, on a list of hosts, or under SLURM",
             .synopsis = "convoy launch [options] -- COMMAND [options of the command]",
             .details =
                 "Starts another command of convoy (train, eval, bench, ...) on several ranks "
                 "and watches over it: checks hosts before the start, binds ranks to cores, ends "
                 "the job when a host is lost, starts it again from its last checkpoint where "
                 "asked to, and turns INT, TERM and USR1 into a checkpoint and exit code 75 (a "
                 "second signal ends the ranks at once). The exit code is the ranks'."}) {
    options_.path("config", config_, "FILE",
                  "INI file with any of the options below; the command line wins over it");
    options_.add(cluster_table(job_.cluster));
  }

  void parse(const std::vector<std::string>& arguments) override {
    const auto begin = arguments.begin();
    std::size_t at = find_command_word(arguments, options_);
    const CommandLine line = read({begin, begin + static_cast<std::ptrdiff_t>(at)});
    if (at < arguments.size() && arguments[at] == "--") ++at;
    read_options(line);
    if (at >= arguments.size()) {
      fail(ExitCode::usage,
           "launch needs a command to start, such as: convoy launch --cluster.ranks 2 -- train "
           "--config FILE");
    }
    job_.name = arguments[at];
    job_.arguments.assign(begin + static_cast<std::ptrdiff_t>(at) + 1, arguments.end());
    check_command();
  }

  void run(World*, std::ostream& out) override {
    if (job_.cluster.kind == "slurm") {
      submit(out);
    } else {
      launch(job_, out);
    }
  }

 private:
  void read_options(const CommandLine& line) {
    const auto config = std::ranges::find(line.assignments, "config", &Assignment::key);
    std::vector<Assignment> of_file;
    if (config != line.assignments.end()) {
      const OptionTable table = cluster_table(job_.cluster);
      of_file = parse_ini(read_text_file(config->value), table, file_origin(config->value));
      assign(table, of_file, file_origin(config->value));
    }
    assign(options_, line.assignments, origin());
    settle_kind();
    for (const Assignment& assignment : of_file) check_kind_of(assignment.key);
    for (const Assignment& assignment : line.assignments) check_kind_of(assignment.key);
  }

  void settle_kind() {
    ClusterOptions& cluster = job_.cluster;
    const bool listed = !cluster.hosts.empty() || !cluster.hosts_file.empty();
    if (!cluster.hosts.empty() && !cluster.hosts_file.empty()) {
      fail(ExitCode::usage, "give either --cluster.hosts or --cluster.hosts-file, not both");
    }
    if (cluster.kind == "auto") {
      cluster.kind = listed ? "hosts" : current_allocation() ? "allocation" : "local";
    }
    if (listed && cluster.kind != "hosts") {
      fail(ExitCode::usage, "hosts are listed, but cluster.kind is {}; leave out one of them",
           cluster.kind);
    }
    if (!listed && cluster.kind == "hosts") {
      fail(ExitCode::usage,
           "cluster.kind is hosts, and none are listed: --cluster.hosts c1,c2 or "
           "--cluster.hosts-file FILE");
    }
  }

  // Options that the kind of start has no use for would do nothing: they are refused.
  void check_kind_of(const std::string& key) const {
    const std::string& kind = job_.cluster.kind;
    const bool of_slurm = key.starts_with("slurm.");
    if (of_slurm && kind != "slurm") {
      fail(ExitCode::usage, "{} is for --cluster.kind slurm, and this is {}", key, kind);
    }
    if (key == "cluster.requeues" && kind != "slurm" && kind != "allocation") {
      fail(ExitCode::usage, "{} is for batch jobs of SLURM, and cluster.kind is {}", key, kind);
    }
    if (key == "cluster.timeout" && kind == "local") {
      fail(ExitCode::usage, "{} is for jobs on several hosts, and cluster.kind is local", key);
    }
    if (key == "cluster.agent" && kind != "hosts") {
      fail(ExitCode::usage, "{} is for --cluster.hosts, and cluster.kind is {}", key, kind);
    }
  }

  // Refuses here and once what every rank would refuse.
  void check_command() {
    const auto commands = make_commands();
    std::vector<std::string> names;
    for (const auto& command : commands) {
      if (command->info().name != job_.name) {
        names.push_back(command->info().name);
        continue;
      }
      if (job_.name == info().name) fail(ExitCode::usage, "launch cannot start itself");
      command->parse(job_.arguments);
      job_.parallel = command->info().parallel;
      for (const char* key : {"config", "data.train", "data.val", "data", "checkpoint", "input"}) {
        const Option* const option = command->options().find(key);
        if (option != nullptr && !option->get().empty()) job_.inputs.emplace_back(option->get());
      }
      return;
    }
    fail(ExitCode::usage, "launch cannot start '{}', which is no command; did you mean {}?",
         job_.name, nearest(job_.name, names));
  }

  void submit(std::ostream& out) {
    const ClusterOptions& cluster = job_.cluster;
    const std::string script =
        batch_script(cluster, std::filesystem::current_path(), program_path(), job_.words());
    if (cluster.dry_run) {
      out << script;
      return;
    }
    if (!cluster.logs.empty()) std::filesystem::create_directories(cluster.logs);
    const std::string job = submit_job(script, cluster.slurm.partition);
    out << fmt::format("job {} is submitted; squeue -j {} shows it, scancel {} ends it\n", job, job,
                       job);
  }

  std::filesystem::path config_;
  LaunchJob job_;
};

}  // namespace

std::unique_ptr<Command> make_launch() { return std::make_unique<LaunchCommand>(); }

}  // namespace convoy
