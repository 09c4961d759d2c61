// From a job's options to mpirun's command line, and from mpirun's end to the next start.
#include "launcher/cluster/launcher.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include <sched.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "core/error.h"
#include "launcher/assignments.h"
#include "launcher/cluster/host_check.h"
#include "launcher/cluster/hosts.h"
#include "launcher/cluster/mpirun.h"
#include "launcher/cluster/outcome.h"
#include "launcher/cluster/process.h"
#include "launcher/cluster/quote.h"
#include "launcher/cluster/reach.h"
#include "launcher/cluster/slurm_job.h"
#include "launcher/failure.h"

namespace convoy {
namespace {

constexpr int kSupportedMpi = 4;  // major version of Open MPI whose options mpirun.cpp writes

void check_mpirun(const std::string& mpirun) {
  if (find_program(mpirun).empty()) {
    fail(ExitCode::usage,
         "there is no {} here; install Open MPI, or say where it is with --cluster.mpirun", mpirun);
  }
  const Heard heard = hear({mpirun, "--version"}, std::chrono::seconds(20));
  const int major = open_mpi_major(heard.out);
  if (major != kSupportedMpi) {
    fail(ExitCode::usage, "{} is {}, and launch knows Open MPI {}; give another --cluster.mpirun",
         mpirun, major == 0 ? "not Open MPI's" : fmt::format("of Open MPI {}", major),
         kSupportedMpi);
  }
  if (geteuid() != 0) return;
  for (const char* variable : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"}) {
    if (std::getenv(variable) != nullptr) continue;
    fail(ExitCode::usage,
         "Open MPI does not start programs as root unless it is told that this is meant: set "
         "OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1, or use another account");
  }
}

std::vector<Host> hosts_of(const ClusterOptions& cluster) {
  if (cluster.kind == "hosts") {
    const std::string file = cluster.hosts_file.string();
    return place_ranks(
        file.empty() ? parse_host_list(cluster.hosts) : parse_host_file(read_text_file(file), file),
        cluster.ranks, cluster.ranks_per_host);
  }
  const std::int64_t ranks = cluster.ranks > 0 ? cluster.ranks : cluster.ranks_per_host;
  if (ranks == 0) {
    fail(ExitCode::usage,
         "launch needs to know how many ranks to start: --cluster.ranks N on this host, "
         "--cluster.hosts c1,c2 on others, or --cluster.kind slurm");
  }
  if (cluster.ranks > 0 && cluster.ranks_per_host > 0 && cluster.ranks > cluster.ranks_per_host) {
    fail(ExitCode::usage,
         "cluster.ranks is {}, but this host alone takes cluster.ranks-per-host, {}; list hosts",
         cluster.ranks, cluster.ranks_per_host);
  }
  return {{"localhost", ranks}};
}

std::string threads_per_core_text() {
  std::string text = read_text_file("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
  return text.substr(0, text.find('\n'));
}

// Processors that this process may run on.
std::int64_t own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

class Launch {
 public:
  explicit Launch(const LaunchJob& job) : job_(job), cluster_(job.cluster) {
    if (!cluster_.dry_run) check_mpirun(cluster_.mpirun.string());
    mpi_.mpirun = cluster_.mpirun.string();
    mpi_.agent = cluster_.agent;
    mpi_.interface = cluster_.interface;
    mpi_.timeout = cluster_.timeout;
    (void)parse_env(cluster_.env, mpi_.env);
    mpi_.program = job.words();
    mpi_.program.insert(mpi_.program.begin(), program_path());
    if (cluster_.kind == "allocation") {
      take_allocation();
    } else {
      mpi_.placement = cluster_.kind == "hosts" ? Placement::hosts : Placement::local;
      mpi_.hosts = hosts_of(cluster_);
      mpi_.ranks = total_ranks(mpi_.hosts);
    }
    if (!job.parallel && mpi_.ranks > 1) {
      fail(ExitCode::usage,
           "{} runs as one process, and {} ranks are asked for; set cluster.ranks "
           "to 1",
           job.name, mpi_.ranks);
    }
  }

  void print(std::ostream& out) {
    const Failure looked = guard([&] { look_at_hosts(); });
    if (looked.code != 0) {
      spdlog::warn("{}; without its answer no binding to cores is shown", looked.sentence);
    }
    out << shell_quoted(command_line()) << '\n';
  }

  void run() {
    Supervisor supervisor;
    Outcome outcome;
    for (int start = 1;; ++start) {
      outcome = run_once(supervisor, start == 1);
      const bool elsewhere = outcome.host_lost && may_requeue();
      if (!worth_a_restart(outcome, supervisor.asked() != 0) || elsewhere ||
          start > cluster_.restarts) {
        break;
      }
      const int seconds = restart_pause(start);
      spdlog::warn("{}; starting again in {} s (restart {} of {})", outcome.sentence, seconds,
                   start, cluster_.restarts);
      if (!supervisor.pause(std::chrono::seconds(seconds))) {
        outcome = {static_cast<int>(ExitCode::stopped),
                   "stopped on request while waiting to start again"};
        break;
      }
    }
    requeue(outcome, supervisor.asked());
    if (outcome.code != 0) throw Error(static_cast<ExitCode>(outcome.code), outcome.sentence);
  }

 private:
  void take_allocation() {
    mpi_.placement = Placement::allocation;
    allocation_ = current_allocation();
    if (!allocation_) {
      fail(ExitCode::usage,
           "cluster.kind is allocation, but this is none of SLURM's (no SLURM_JOB_ID); use sbatch, "
           "salloc or --cluster.kind slurm");
    }
    const std::int64_t tasks = allocation_->tasks;
    mpi_.ranks = cluster_.ranks > 0 ? cluster_.ranks : tasks;
    if (mpi_.ranks == 0) {
      fail(ExitCode::usage,
           "SLURM job {} does not say how many ranks it is for; ask for --ntasks-per-node, or give "
           "--cluster.ranks",
           allocation_->job);
    }
    if (tasks > 0 && mpi_.ranks > tasks) {
      fail(ExitCode::usage, "cluster.ranks is {}, but SLURM job {} has places for {}", mpi_.ranks,
           allocation_->job, tasks);
    }
  }

  // Hosts are the same for every start of the job, what stands there may change.
  void look_at_hosts() {
    if (mpi_.placement == Placement::allocation) {
      bind_in_allocation();
      return;
    }
    HostQuestions questions;
    questions.folder = std::filesystem::current_path();
    questions.program = program_path();
    if (cluster_.mpirun.is_absolute()) {
      questions.daemon = (cluster_.mpirun.parent_path() / "orted").string();
    }
    if (mpi_.placement == Placement::hosts) questions.inputs = job_.inputs;
    const std::vector<HostAnswers> answers = ask_hosts(mpi_.hosts, mpi_.agent, questions);
    compare_hosts(questions, answers, digest_of(program_path()));
    std::vector<std::int64_t> cores;
    for (const HostAnswers& host : answers) cores.push_back(host.cores);
    bind_to(cores_per_rank(mpi_.hosts, cores));
    mpi_.crowded = cores_per_rank(mpi_.hosts, cores) == 0;
  }

  void bind_to(std::int64_t cores) {
    if (cluster_.bind == "cores" && cores == 0) {
      fail(ExitCode::usage,
           "cluster.bind is cores, but a host has fewer cores than ranks; start fewer ranks on it "
           "or leave cluster.bind at auto");
    }
    mpi_.cores_per_rank = cluster_.bind == "none" ? 0 : cores;
  }

  // Cores can be shared out where Slurm confines the job to its own, which shows in the processors
  // that this process may use; elsewhere the first cores would be taken by every job of a node.
  void bind_in_allocation() {
    const std::string siblings = threads_per_core_text();
    const std::int64_t threads = siblings.find_first_of(",-") == std::string::npos ? 1 : 2;
    const bool confined = own_processors() == allocation_->cpus_on_this_node;
    bind_to(confined ? allocation_->cpus_of_rank / threads : 0);
  }

  std::vector<std::string> command_line() {
    if (!cluster_.logs.empty()) {
      int number = 1;
      const auto folder = [&] {
        return std::filesystem::absolute(cluster_.logs) / fmt::format("start-{}", number);
      };
      while (std::filesystem::exists(folder())) ++number;
      mpi_.logs = folder();
    }
    return mpirun_command(mpi_);
  }

  Outcome run_once(Supervisor& supervisor, bool first) {
    const Failure looked = guard([&] { look_at_hosts(); });
    if (looked.code != 0) {
      if (first) throw Error(static_cast<ExitCode>(looked.code), looked.sentence);
      return {looked.code, looked.sentence};
    }
    // Only train knows what to do about USR1.
    const int status = supervisor.run(command_line(), job_.name == "train");
    return judge(status, supervisor.asked() != 0);
  }

  [[nodiscard]] bool may_requeue() const {
    return allocation_ && allocation_->batch && allocation_->restarts < cluster_.requeues;
  }

  // A job that is asked by TERM is being cancelled or preempted, which is Slurm's own business;
  // USR1 comes before the time limit.
  void requeue(const Outcome& outcome, int asked) const {
    const bool out_of_time =
        outcome.code == static_cast<int>(ExitCode::stopped) && (asked == SIGUSR1 || asked == 0);
    const bool failed = worth_a_restart(outcome, asked != 0);
    if (!out_of_time && !failed) return;
    if (!may_requeue()) return;
    std::string reason;
    if (requeue_job(allocation_->job, reason)) {
      spdlog::warn("SLURM job {} goes back into the queue ({} of {})", allocation_->job,
                   allocation_->restarts + 1, cluster_.requeues);
    } else {
      spdlog::warn("SLURM does not put job {} back into the queue: {}", allocation_->job, reason);
    }
  }

  const LaunchJob& job_;
  const ClusterOptions& cluster_;
  MpiJob mpi_;
  std::optional<Allocation> allocation_;
};

}  // namespace

std::vector<std::string> LaunchJob::words() const {
  std::vector<std::string> words{name};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

std::string program_path() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

void launch(const LaunchJob& job, std::ostream& out) {
  Launch start(job);
  if (job.cluster.dry_run) {
    start.print(out);
  } else {
    start.run();
  }
}

}  // namespace convoy
