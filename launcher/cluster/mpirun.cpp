// Options of Open MPI 4's mpirun.
#include "launcher/cluster/mpirun.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace convoy {
namespace {

using Words = std::vector<std::string>;

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

void parameter(Words& words, const std::string& name, const std::string& value) {
  append(words, {"--mca", name, value});
}

// mpirun splits its own `-x NAME=VALUE` at semicolons; env takes any value.
void set_environment(Words& words, const std::vector<EnvSetting>& settings) {
  const bool any = std::ranges::any_of(settings, &EnvSetting::has_value);
  if (!any) return;
  words.emplace_back("env");
  for (const EnvSetting& setting : settings) {
    if (setting.has_value) words.push_back(setting.name + '=' + setting.value);
  }
}

// Whatever the surroundings offer, ranks go where the job says.
void place(Words& words, const MpiJob& job) {
  if (job.placement == Placement::local) {
    parameter(words, "plm", "isolated");
    parameter(words, "ras", "^slurm");
  } else if (job.placement == Placement::hosts) {
    parameter(words, "plm", "rsh");
    parameter(words, "ras", "^slurm");
    parameter(words, "plm_rsh_agent", job.agent);
  }
  if (job.placement != Placement::allocation) {
    std::string list;
    for (const Host& host : job.hosts) {
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", host.name, host.ranks);
    }
    append(words, {"--host", list});
  }
  append(words, {"-n", std::to_string(job.ranks)});
}

void bind(Words& words, const MpiJob& job) {
  if (job.cores_per_rank > 0) {
    append(words, {"--map-by", fmt::format("slot:PE={}", job.cores_per_rank), "--bind-to", "core"});
  } else {
    append(words, {"--map-by", "slot", "--bind-to", "none"});
  }
  if (job.crowded) parameter(words, "mpi_yield_when_idle", "1");
}

// Without these a host whose link is cut is noticed after TCP's own timeouts, many minutes later.
void keep_alive(Words& words, std::int64_t timeout) {
  if (timeout == 0) return;
  const std::int64_t idle = (timeout + 1) / 2;
  parameter(words, "oob_tcp_keepalive_time", std::to_string(idle));
  parameter(words, "oob_tcp_keepalive_intvl", "1");
  parameter(words, "oob_tcp_keepalive_probes",
            std::to_string(std::max<std::int64_t>(1, timeout - idle)));
}

}  // namespace

std::vector<std::string> mpirun_command(const MpiJob& job) {
  Words words;
  set_environment(words, job.env);
  words.push_back(job.mpirun);
  place(words, job);
  bind(words, job);
  if (job.placement != Placement::local) keep_alive(words, job.timeout);
  if (!job.interface.empty()) {
    parameter(words, "oob_tcp_if_include", job.interface);
    parameter(words, "btl_tcp_if_include", job.interface);
  }
  for (const EnvSetting& setting : job.env) append(words, {"-x", setting.name});
  if (!job.logs.empty()) append(words, {"--output-filename", job.logs.string()});
  append(words, job.program);
  return words;
}

std::int64_t cores_per_rank(const std::vector<Host>& hosts,
                            const std::vector<std::int64_t>& cores) {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < hosts.size(); ++i) least = std::min(least, cores[i] / hosts[i].ranks);
  return hosts.empty() ? 0 : least;
}

int open_mpi_major(const std::string& version_text) {
  const std::string before = "mpirun (Open MPI) ";
  if (!version_text.starts_with(before)) return 0;
  return std::atoi(version_text.c_str() + before.size());
}

}  // namespace convoy
