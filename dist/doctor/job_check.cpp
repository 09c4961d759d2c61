// Goes through what a run does before it makes anything.
#include "dist/doctor/job_check.h"

#include <optional>

#include "core/net/spec.h"
#include "dist/partition/partition.h"
#include "dist/partition/strategy.h"
#include "dist/step/conv_choice.h"
#include "dist/train/dataset_options.h"
#include "dist/train/training_data.h"
#include "io/read/batch_plan.h"

namespace convoy {
namespace {

// None where none is given, or it cannot be used.
std::optional<Dataset> training_set(const DataOptions& options) {
  if (options.train.empty()) return std::nullopt;
  try {
    return open_dataset(options.train, options);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string examined(JobOptions job, int ranks, const Device& device) {
  const std::optional<Dataset> dataset = training_set(job.data);
  if (dataset) job = with_classes(job, *dataset);
  if (job.model.classes == 0) job.model.classes = 1000;
  const std::int64_t batch = job.solver.batch;
  const NetSpec net = build_net(job.model);
  const Strategy strategy =
      choose_strategy(job.dist.strategy, net, ranks, batch, job.dist.owt_scheme);
  check_conv_request(job.device.conv, partition(net, strategy, 0, batch, device.activation_type()),
                     device);
  std::string text =
      fmt::format("strategy {} on {} rank(s), {} images a step", strategy.name, ranks, batch);
  if (!dataset) return text;
  const TrainPlan plan(*dataset, augmentation(job), batch, {0, batch / strategy.grid.replicas},
                       job.run.seed, 0, 1, shuffle_options(job.data));
  return text +
         fmt::format(", {} steps an epoch", TrainPlan::steps_per_epoch(dataset->size(), batch));
}

}  // namespace

Finding judge_job(const JobOptions& job, int ranks, const Device& device) {
  try {
    return {"job", examined(job, ranks, device)};
  } catch (const Error& error) {
    return {"job", error.what(), false, error.code()};
  }
}

}  // namespace convoy
