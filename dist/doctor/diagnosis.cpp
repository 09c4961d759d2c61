// What facts of ranks mean for a run, and what helps.
#include "dist/doctor/diagnosis.h"

#include <algorithm>
#include <map>
#include <set>

namespace convoy {
namespace {

constexpr double kClockSeconds = 2;  // beyond this, logs of hosts cannot be laid side by side

Finding good(std::string topic, std::string text) {
  return {std::move(topic), std::move(text), true, ExitCode::done};
}
Finding bad(std::string topic, ExitCode code, std::string text) {
  return {std::move(topic), std::move(text), false, code};
}

std::string rank_text(const std::vector<RankReport>& ranks, std::size_t rank) {
  return fmt::format("rank {} ({})", rank, ranks[rank].host);
}

std::string all_text(std::size_t ranks) {
  return ranks == 1 ? "on the one rank" : fmt::format("on all {} ranks", ranks);
}

std::string rate_text(double bytes_per_second) {
  return bytes_per_second >= 1e9 ? fmt::format("{:.2f} GB/s", bytes_per_second / 1e9)
                                 : fmt::format("{:.1f} MB/s", bytes_per_second / 1e6);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Of "13.0.1", 13; of other text 0.
int major_of(const std::string& version) { return std::atoi(version.c_str()); }

// Libraries keep their interface within a major version; a driver may be newer than what was built.
bool fits(const LibraryVersion& library) {
  if (library.name == "CUDA driver") return major_of(library.found) >= major_of(library.built);
  return major_of(library.found) == major_of(library.built);
}

}  // namespace

Finding judge_program(const std::vector<RankReport>& ranks) {
  for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
    if (ranks[rank].program == ranks[0].program) continue;
    return bad("program", ExitCode::usage,
               fmt::format("{} runs another file (checksum {}) than {} ({}): install the same "
                           "Convoy on every host",
                           rank_text(ranks, rank), ranks[rank].program, rank_text(ranks, 0),
                           ranks[0].program));
  }
  return good("program", fmt::format("the same file {} (checksum {})", all_text(ranks.size()),
                                     ranks[0].program));
}

std::vector<Finding> judge_libraries(const std::vector<RankReport>& ranks) {
  std::vector<Finding> findings;
  std::string versions;
  for (std::size_t i = 0; i < ranks[0].libraries.size(); ++i) {
    const LibraryVersion& first = ranks[0].libraries[i];
    for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
      // Programs that differ, and so their lists, are a finding of their own.
      if (i >= ranks[rank].libraries.size()) continue;
      const LibraryVersion& here = ranks[rank].libraries[i];
      if (here.found.empty() && !ranks[rank].gpu) continue;  // not needed on CPUs
      if (!fits(here)) {
        findings.push_back(bad(
            "libraries", ExitCode::usage,
            fmt::format("{} has {} {}, and Convoy was built with {}: install that one there, or "
                        "build Convoy anew",
                        rank_text(ranks, rank), here.name, here.found.empty() ? "none" : here.found,
                        here.built)));
        break;
      }
      if (here.found != first.found) {
        findings.push_back(
            bad("libraries", ExitCode::usage,
                fmt::format("{} has {} {}, and {} has {}: install one version on "
                            "all hosts",
                            rank_text(ranks, rank), here.name, here.found, rank_text(ranks, 0),
                            first.found.empty() ? "none" : first.found)));
        break;
      }
    }
    if (!first.found.empty())
      versions += fmt::format("{}{} {}", versions.empty() ? "" : ", ", first.name, first.found);
  }
  if (findings.empty()) findings.push_back(good("libraries", versions));
  return findings;
}

std::vector<Finding> judge_placement(const std::vector<RankReport>& ranks) {
  std::vector<Finding> findings;
  std::map<std::string, std::vector<std::size_t>> hosts;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) hosts[ranks[rank].host].push_back(rank);
  std::string places;
  for (const auto& [host, here] : hosts)
    places += fmt::format("{}{} on {}", places.empty() ? "" : ", ", here.size(), host);
  const auto [fewest, most] =
      std::ranges::minmax_element(hosts, {}, [](const auto& entry) { return entry.second.size(); });
  findings.push_back(
      fewest->second.size() == most->second.size()
          ? good("ranks", fmt::format("{} on {} host(s): {}", ranks.size(), hosts.size(), places))
          : bad("ranks", ExitCode::usage,
                fmt::format(
                    "hosts have different numbers of ranks ({}), so the fuller ones keep "
                    "the others waiting: start as many on each (mpirun --map-by ppr:N:node)",
                    places)));

  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (ranks[rank].device_fault.empty()) continue;
    findings.push_back(
        bad("device", ExitCode::usage,
            fmt::format("{}: {}", rank_text(ranks, rank), ranks[rank].device_fault)));
    return findings;
  }
  for (const auto& [host, here] : hosts) {
    const RankReport& first = ranks[here[0]];
    std::set<std::string> gpus;
    for (const std::size_t rank : here)
      if (ranks[rank].gpu) gpus.insert(ranks[rank].processor);
    const auto used = gpus.size();
    if (used > 0 && used < here.size()) {
      findings.push_back(bad("device", ExitCode::usage,
                             fmt::format("{} ranks of {} share {} GPU(s): start one rank a GPU",
                                         here.size(), host, used)));
    } else if (used > 0 && used < static_cast<std::size_t>(first.gpus_of_host)) {
      findings.push_back(
          bad("device", ExitCode::usage,
              fmt::format("{} rank(s) of {} leave {} of its {} GPUs idle: start one rank a GPU",
                          here.size(), host, static_cast<std::size_t>(first.gpus_of_host) - used,
                          first.gpus_of_host)));
    }
    const auto narrow = std::ranges::find_if(
        here, [&](std::size_t rank) { return ranks[rank].cores < 1 + (ranks[rank].gpu ? 1 : 0); });
    if (narrow != here.end()) {
      findings.push_back(bad("cores", ExitCode::usage,
                             fmt::format("{} may run on one core only, which its GPU's work and "
                                         "its reader share: give mpirun --bind-to none or "
                                         "--map-by slot:PE=N",
                                         rank_text(ranks, *narrow))));
    }
  }
  for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
    if (ranks[rank].kernels == ranks[0].kernels) continue;
    findings.push_back(bad("device", ExitCode::usage,
                           fmt::format("{} computes with {}, and {} with {}: they round "
                                       "differently and the slower one sets the pace; use hosts "
                                       "of one kind",
                                       rank_text(ranks, rank), ranks[rank].kernels,
                                       rank_text(ranks, 0), ranks[0].kernels)));
    return findings;
  }
  findings.push_back(
      good("device", fmt::format("{}, alike {}", ranks[0].device, all_text(ranks.size()))));
  return findings;
}

Finding judge_clocks(const std::vector<RankReport>& ranks) {
  const auto [early, late] = std::ranges::minmax_element(ranks, {}, &RankReport::clock);
  const double apart = late->clock - early->clock;
  if (apart > kClockSeconds) {
    return bad("clocks", ExitCode::usage,
               fmt::format("the clock of {} is {:.1f} s behind that of {}: set both by NTP",
                           early->host, apart, late->host));
  }
  return good("clocks", fmt::format("within {:.0f} ms of each other", 1000 * apart));
}

std::vector<Finding> judge_links(const std::vector<RankReport>& ranks,
                                 const std::vector<LinkTimes>& links, std::int64_t gradient_bytes) {
  const auto name = [&](const LinkTimes& link) {
    const auto [a, b] = link.ranks;
    return fmt::format("{} and {}", rank_text(ranks, static_cast<std::size_t>(a)),
                       rank_text(ranks, static_cast<std::size_t>(b)));
  };
  const auto between_hosts = [&](const LinkTimes& link) {
    return ranks[static_cast<std::size_t>(link.ranks.first)].host !=
           ranks[static_cast<std::size_t>(link.ranks.second)].host;
  };
  std::vector<Finding> findings;
  for (const bool hosts : {false, true}) {
    std::vector<LinkTimes> alike;
    std::ranges::copy_if(links, std::back_inserter(alike),
                         [&](const LinkTimes& link) { return between_hosts(link) == hosts; });
    if (alike.empty()) continue;
    std::vector<double> exchanges;
    std::vector<double> latencies;
    for (const LinkTimes& link : alike) {
      exchanges.push_back(link.exchange_per_second);
      latencies.push_back(link.latency_us);
    }
    const double usual_exchange = median(exchanges);
    const double usual_latency = median(latencies);
    for (const LinkTimes& link : alike) {
      if (link.exchange_per_second < usual_exchange / 2) {
        findings.push_back(bad(
            "links", ExitCode::rank_failed,
            fmt::format("{} exchange {}, where pairs of hosts usually do {}: see to their network "
                        "cards, cables and which interface MPI uses",
                        name(link), rate_text(link.exchange_per_second),
                        rate_text(usual_exchange))));
      } else if (link.latency_us > 5 * usual_latency && link.latency_us > 1000) {
        findings.push_back(
            bad("links", ExitCode::rank_failed,
                fmt::format("{} need {:.0f} us for a barrier, where pairs usually need {:.0f} us: "
                            "see whether something else loads these hosts or their network",
                            name(link), link.latency_us, usual_latency)));
      }
    }
    const LinkTimes& slowest = *std::ranges::min_element(alike, {}, &LinkTimes::reduce_per_second);
    findings.push_back(good(
        "links",
        fmt::format(
            "{} {}: latency {:.0f} us, exchange {}, all-reduce {} (slowest pair, {}); "
            "{:.0f} MB of gradients take {:.0f} ms a step there",
            alike.size(),
            hosts ? (alike.size() == 1 ? "pair of hosts" : "pairs of hosts") : "pair within a host",
            usual_latency, rate_text(usual_exchange), rate_text(slowest.reduce_per_second),
            name(slowest), 1e-6 * static_cast<double>(gradient_bytes),
            1000 * static_cast<double>(gradient_bytes) / slowest.reduce_per_second)));
  }
  if (links.empty()) findings.push_back(good("links", "none: there is one rank"));
  return findings;
}

Finding judge_dataset(const std::vector<RankReport>& ranks, const std::string& key,
                      DatasetFacts RankReport::*dataset) {
  const DatasetFacts& first = ranks[0].*dataset;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const DatasetFacts& here = ranks[rank].*dataset;
    if (!here.fault.empty())
      return bad(key, ExitCode::bad_data,
                 fmt::format("{}: {}", rank_text(ranks, rank), here.fault));
    if (here.fingerprint != first.fingerprint)
      return bad(key, ExitCode::bad_data,
                 fmt::format("{} has another dataset there (fingerprint {}) than {} ({}): give "
                             "every host the same copy",
                             rank_text(ranks, rank), here.fingerprint, rank_text(ranks, 0),
                             first.fingerprint));
  }
  if (first.images == 0) return good(key, fmt::format("not examined: no --{} was given", key));
  const RankReport* slowest = &ranks[0];
  for (const RankReport& rank : ranks) {
    const double rate = (rank.*dataset).images_per_second;
    if (rate > 0 && rate < (slowest->*dataset).images_per_second) slowest = &rank;
  }
  return good(key, fmt::format("{} images, the same {}; one thread of the slowest host ({}) reads "
                               "{:.0f} images/s ({}) at random places",
                               first.images, all_text(ranks.size()), slowest->host,
                               (slowest->*dataset).images_per_second,
                               rate_text((slowest->*dataset).bytes_per_second)));
}

std::vector<Finding> judge_disk(const DiskFacts& disk, double bytes, std::int64_t files,
                                std::optional<double> patience) {
  if (!disk.fault.empty())
    return {bad("disk", ExitCode::resource,
                fmt::format("{} cannot be written: {}; choose another --run.dir",
                            disk.folder.string(), disk.fault))};
  const double seconds = bytes / disk.bytes_per_second;
  std::vector<Finding> findings;
  const double needed = bytes * static_cast<double>(std::max<std::int64_t>(files, 1));
  if (disk.free_bytes < needed) {
    findings.push_back(bad("disk", ExitCode::resource,
                           fmt::format("{} has {:.2f} GB free, and checkpoints need {:.2f} GB "
                                       "({} of {:.0f} MB): make room, choose another --run.dir, "
                                       "or lower --run.keep",
                                       disk.folder.string(), disk.free_bytes / 1e9, needed / 1e9,
                                       std::max<std::int64_t>(files, 1), bytes / 1e6)));
  } else {
    findings.push_back(good(
        "disk", fmt::format("{:.1f} GB free in {}{}; a checkpoint of {:.0f} MB takes {:.1f} s to "
                            "write ({})",
                            disk.free_bytes / 1e9, disk.folder.string(),
                            files == 0 ? " (run.keep 0 keeps every checkpoint: it will fill)" : "",
                            bytes / 1e6, seconds, rate_text(disk.bytes_per_second))));
  }
  if (patience && *patience < 2 * seconds + 1) {
    findings.push_back(
        bad("scheduler", ExitCode::usage,
            fmt::format("Slurm kills a job {:.0f} s after it asked it to end, and a checkpoint "
                        "takes about {:.1f} s: ask for a signal earlier (sbatch --signal), or have "
                        "KillWait raised",
                        *patience, seconds)));
  } else if (patience) {
    findings.push_back(
        good("scheduler", fmt::format("Slurm waits {:.0f} s for a checkpoint of about {:.1f} s",
                                      *patience, seconds)));
  }
  return findings;
}

}  // namespace convoy
