// sbatch, sinfo and scontrol, and the variables that Slurm sets.
#include "launcher/cluster/slurm_job.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "launcher/cluster/batch_script.h"
#include "launcher/cluster/process.h"
#include "launcher/nearest.h"
#include "launcher/option_table.h"

namespace convoy {
namespace {

constexpr std::chrono::seconds kLimit{60};  // Slurm's own commands wait long for a busy controller

std::string variable(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

std::int64_t number(const char* name) {
  std::int64_t value = 0;
  return parse_value(variable(name), value) ? value : 0;
}

// What a program of Slurm's said, on one line.
std::string words_of(const Heard& heard) {
  if (!heard.ended) return fmt::format("it did not answer within {} seconds", kLimit.count());
  std::string text = heard.err;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text.empty() ? "it does not say why" : text;
}

void check_partition(const std::string& partition) {
  const Heard heard = hear({"sinfo", "-h", "-o", "%R"}, kLimit);
  if (!heard.succeeded()) return;  // sbatch will say what is the matter
  std::vector<std::string> names = split(heard.out, '\n');
  std::erase(names, "");
  if (names.empty() || std::ranges::find(names, partition) != names.end()) return;
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  fail(ExitCode::usage, "SLURM has no partition {}; did you mean {}? (there are {})", partition,
       nearest(partition, names), fmt::join(names, ", "));
}

}  // namespace

std::string submit_job(const std::string& script, const std::string& partition) {
  if (find_program("sbatch").empty()) {
    fail(ExitCode::usage,
         "there is no sbatch here; submit from a login node of a SLURM cluster, or see the script "
         "with --dry-run");
  }
  if (!partition.empty()) check_partition(partition);
  const Heard heard = hear({"sbatch", "--parsable"}, kLimit, script);
  const std::string job = heard.succeeded() ? submitted_job(heard.out) : "";
  if (job.empty()) fail(ExitCode::usage, "sbatch does not take the job: {}", words_of(heard));
  return job;
}

std::vector<std::int64_t> per_node_numbers(std::string_view text) {
  std::vector<std::int64_t> numbers;
  for (const std::string& part : split(text, ',')) {
    const std::size_t open = part.find("(x");
    std::int64_t value = 0;
    std::int64_t times = 1;
    const bool good =
        parse_value(part.substr(0, open), value) &&
        (open == std::string::npos ||
         (part.back() == ')' && parse_value(part.substr(open + 2, part.size() - open - 3), times)));
    if (!good || times < 1 || times > 1 << 20) return {};
    numbers.insert(numbers.end(), static_cast<std::size_t>(times), value);
  }
  return numbers;
}

std::optional<Allocation> current_allocation() {
  Allocation found;
  found.job = variable("SLURM_JOB_ID");
  if (found.job.empty()) return std::nullopt;
  if (number("SLURM_STEP_NUM_TASKS") > 1) {
    fail(
        ExitCode::usage,
        "srun has started {} tasks, each of which would launch the job; call convoy launch without "
        "srun",
        number("SLURM_STEP_NUM_TASKS"));
  }
  found.tasks = number("SLURM_NTASKS");
  found.restarts = number("SLURM_RESTART_COUNT");
  found.batch = variable("ENVIRONMENT") == "BATCH";
  found.cpus_on_this_node = number("SLURM_CPUS_ON_NODE");
  const auto cpus = per_node_numbers(variable("SLURM_JOB_CPUS_PER_NODE"));
  const auto tasks = per_node_numbers(variable("SLURM_TASKS_PER_NODE"));
  for (std::size_t i = 0; i < cpus.size() && cpus.size() == tasks.size(); ++i) {
    const std::int64_t share = cpus[i] / std::max<std::int64_t>(1, tasks[i]);
    found.cpus_of_rank = i == 0 ? share : std::min(found.cpus_of_rank, share);
  }
  return found;
}

bool requeue_job(const std::string& job, std::string& reason) {
  const Heard heard = hear({"scontrol", "requeue", job}, kLimit);
  if (!heard.succeeded()) reason = words_of(heard);
  return heard.succeeded();
}

}  // namespace convoy
