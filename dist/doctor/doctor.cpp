// The order of examinations.
#include "dist/doctor/doctor.h"

#include <algorithm>

#include "core/net/spec.h"
#include "dist/comm/backend.h"
#include "dist/comm/nccl.h"
#include "dist/doctor/diagnosis.h"
#include "dist/doctor/job_check.h"

namespace convoy {
namespace {

// Of the net that the options ask for; the classes of a dataset that is not there count as 1000.
std::int64_t count_parameters(const ModelOptions& options) {
  ModelOptions model = options;
  if (model.classes == 0) model.classes = 1000;
  std::int64_t parameters = 0;
  for (const LayerSpec& layer : build_net(model).layers) parameters += layer.parameters();
  return parameters;
}

std::vector<Finding> examine_links(World& world, Communicator& everyone, const JobOptions& job,
                                   const std::vector<RankReport>& ranks,
                                   std::int64_t gradient_bytes) {
  const auto device = make_device(job.device, {world.local_rank(), world.local_ranks()});
  std::vector<std::string> hosts;
  std::vector<RankFacts> facts;
  for (const RankReport& rank : ranks) hosts.push_back(rank.host);
  Backend backend = Backend::mpi;
  try {
    backend = choose_backend(
        job.dist.backend, gather_facts(everyone, {device->kind(), device->precision(), world.host(),
                                                  device->identity(), nccl_version()}));
  } catch (const Error& error) {  // the same on every rank
    return {{"links", error.what(), false, error.code()}};
  }
  return judge_links(
      ranks, time_links(world, everyone, *device, backend, job.dist.timeout, pair_rounds(hosts)),
      gradient_bytes);
}

}  // namespace

std::vector<Finding> examine(World& world, const JobOptions& job) {
  const auto everyone = world.split(0);
  everyone->limit_waits(job.dist.timeout);
  const std::vector<RankReport> ranks =
      gather_reports(*everyone, report_rank(world, *everyone, job));
  std::vector<Finding> findings{judge_program(ranks)};
  const auto add = [&](std::vector<Finding> more) {
    std::ranges::move(more, std::back_inserter(findings));
  };
  add(judge_libraries(ranks));
  add(judge_placement(ranks));
  add({judge_clocks(ranks)});

  const std::int64_t parameters = count_parameters(job.model);
  constexpr auto kFloat = static_cast<std::int64_t>(sizeof(float));
  if (std::ranges::all_of(ranks, [](const RankReport& rank) { return rank.device_fault.empty(); }))
    add(examine_links(world, *everyone, job, ranks, parameters * kFloat));
  add({judge_dataset(ranks, "data.train", &RankReport::train),
       judge_dataset(ranks, "data.val", &RankReport::val)});
  if (world.rank() != 0) return findings;
  if (ranks.front().device_fault.empty())
    add({judge_job(job, world.size(),
                   *make_device(job.device, {world.local_rank(), world.local_ranks()}))});
  if (job.run.dir.empty()) {
    add({{"disk", "not examined: no --run.dir was given"}});
    return findings;
  }
  const std::int64_t copies = job.solver.kind == "adam" ? 3 : 2;  // values and moments
  // Beside those that are kept lies the one that is being written.
  const std::int64_t files = job.run.keep == 0 ? 0 : job.run.keep + 1;
  add(judge_disk(examine_disk(job.run.dir), static_cast<double>(parameters * copies * kFloat),
                 files, slurm_seconds_to_end()));
  return findings;
}

}  // namespace convoy
