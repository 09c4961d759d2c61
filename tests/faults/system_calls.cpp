// Faults at system calls: lets each one that writing a checkpoint, packing or training makes on its
// files go wrong in turn, in five ways. After each, what can be read is whole: the old or the new.
// Killed: the work can be done again in the same folder. An error: exit code 7 with one sentence
// and nothing half-written left behind, or the work is done all the same.
//
//   faults_system_calls [CONVOY]   with the program: convoy pack and convoy train as well
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "io/files/temporary_folder.h"
#include "tests/faults/injector.h"
#include "tests/faults/workloads.h"

namespace convoy::faults {
namespace {

namespace fs = std::filesystem;

struct Kind {
  Fault fault;
  const char* name;
};
constexpr std::array kinds = {
    Kind{Fault::kill, "killed before the call"}, Kind{Fault::short_write, "killed in the call"},
    Kind{Fault::no_space, "ENOSPC from then on"}, Kind{Fault::io_error, "EIO once"},
    Kind{Fault::interrupted, "EINTR once"}};

class Campaign {
 public:
  explicit Campaign(fs::path scratch) : said_(std::move(scratch) / "said") {}

  void run(const Workload& work) {
    const TemporaryFolder folder;
    work.prepare(folder.path());
    const Observed whole = attempt(work, folder.path(), {});
    const std::string judged = judge(work, folder.path());
    if (whole.exit_code != 0 || judged != "new") {
      return failed(work, "undisturbed", whole, judged + ": " + sentences());
    }
    fmt::print("\n{}: {} system calls\n", work.name, whole.calls);
    for (const std::string& path : whole.unsynced) {
      failed(work, "undisturbed", whole, path + " was renamed without being synced");
    }
    fmt::print("  {:<24} {:>6} {:>6} {:>6} {:>6} {:>10} {:>7}\n", "fault", "cases", "old", "part",
               "new", "exit 7", "failed");
    std::fflush(stdout);
    // Most of the time is waiting, so the kinds have a process each.
    const long before = failures_;
    for (const Kind& kind : kinds) {
      const pid_t child = fork();
      if (child < 0) throw std::runtime_error("cannot fork");
      if (child > 0) continue;
      said_ += kind.name;
      run(work, kind);
      _exit(static_cast<int>(std::min(failures_ - before, 100L)));
    }
    int status = 0;
    while (wait(&status) > 0) failures_ += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  }

  [[nodiscard]] long failures() const { return failures_; }

 private:
  void run(const Workload& work, const Kind& kind) {
    long old_state = 0;
    long part = 0;
    long new_state = 0;
    long refused = 0;
    const long before = failures_;
    long cases = 0;
    while (true) {
      const TemporaryFolder folder;
      work.prepare(folder.path());
      const Observed seen = attempt(work, folder.path(), {kind.fault, cases + 1});
      if (seen.at.empty()) break;  // it makes no more calls
      ++cases;
      const std::string judged = judge(work, folder.path());
      (judged == "old" ? old_state : judged == "part" ? part : new_state) += 1;
      refused += seen.exit_code == static_cast<int>(ExitCode::resource) ? 1 : 0;
      const std::string problem = problem_with(seen, judged, folder.path());
      if (!problem.empty()) failed(work, kind.name, seen, problem);
      if (problem.empty()) again(work, kind, seen, folder.path());
    }
    fmt::print("  {:<24} {:>6} {:>6} {:>6} {:>6} {:>10} {:>7}\n", kind.name, cases, old_state, part,
               new_state, refused, failures_ - before);
    std::fflush(stdout);
  }

  Observed attempt(const Workload& work, const fs::path& folder, Injection injection) {
    return run_with_fault(folder, injection, [&] {
      const int file = ::open(said_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      dup2(file, 1);
      dup2(file, 2);
      ::close(file);
      return work.run(folder);
    });
  }

  static std::string judge(const Workload& work, const fs::path& folder) {
    try {
      return work.judge(folder);
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  [[nodiscard]] std::string sentences() const {
    std::ifstream in(said_);
    std::string found;
    for (std::string line; std::getline(in, line);) {
      const auto at = line.find("convoy: ");
      if (at != std::string::npos && line.find("convoy: warning: ") == std::string::npos)
        found += line.substr(at) + "\n";
    }
    return found;
  }

  static bool has_partial(const fs::path& folder) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".partial") return true;
    }
    return false;
  }

  [[nodiscard]] std::string problem_with(const Observed& seen, const std::string& judged,
                                         const fs::path& folder) const {
    if (judged != "old" && judged != "new" && judged != "part") return judged;
    if (seen.killed) return {};
    if (seen.exit_code != 0) {
      const std::string said = sentences();
      if (seen.exit_code != static_cast<int>(ExitCode::resource)) {
        return fmt::format("exit code {}: {}", seen.exit_code, said);
      }
      if (std::count(said.begin(), said.end(), '\n') != 1) return "not one sentence: " + said;
    } else if (judged != "new") {
      return "exit code 0, but nothing new is there";
    }
    if (has_partial(folder) && !seen.at.starts_with("unlink")) return "a .partial file is left";
    return {};
  }

  // The same work once more, undisturbed, in what the fault left.
  void again(const Workload& work, const Kind& kind, const Observed& seen, const fs::path& folder) {
    if (judge(work, folder) == "new") return;
    const Observed next = attempt(work, folder, {});
    const std::string judged = judge(work, folder);
    if (next.exit_code != 0 || judged != "new" || has_partial(folder)) {
      failed(work, kind.name, seen,
             fmt::format("done again: exit code {}, {}: {}", next.exit_code, judged, sentences()));
    }
  }

  void failed(const Workload& work, const char* kind, const Observed& seen,
              const std::string& problem) {
    ++failures_;
    fmt::print("FAILED: {}, {}, {}: {}\n", work.name, kind, seen.at, problem);
    std::fflush(stdout);
  }

  fs::path said_;
  long failures_ = 0;
};

int run(const char* convoy) {
  const TemporaryFolder scratch;
  Campaign campaign(scratch.path());
  for (const Workload& work : library_workloads(scratch.path())) campaign.run(work);
  if (convoy != nullptr) {
    for (const Workload& work : program_workloads(scratch.path(), fs::absolute(convoy))) {
      campaign.run(work);
    }
  }
  fmt::print("\n{} failed\n", campaign.failures());
  return campaign.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace convoy::faults

int main(int argc, char** argv) {
  try {
    return convoy::faults::run(argc > 1 ? argv[1] : nullptr);
  } catch (const std::runtime_error& error) {
    fmt::print("{}\n", error.what());
    return 1;
  }
}
