// `convoy eval`: a checkpoint's net on a dataset, under any strategy.
#include <cmath>

#include "dist/checkpoint/weights_file.h"
#include "dist/comm/agreement.h"
#include "dist/job.h"
#include "dist/train/dataset_options.h"
#include "dist/train/evaluator.h"

namespace convoy {

EvalResult evaluate_checkpoint(World& world, const EvalOptions& options) {
  const CheckpointReader checkpoint(options.checkpoint);
  const CheckpointInfo& info = checkpoint.info();
  require_one_checkpoint(*world.split(0), info);
  const Dataset dataset = open_dataset(options.data, options.job.data);
  require_same_classes(info.classes, dataset.classes(), options.data.string());
  JobOptions job = options.job;
  if (job.model.classes == 0) job.model.classes = static_cast<std::int64_t>(info.classes.size());
  Session session(world, job);
  require_one_dataset(session.everyone(), dataset);
  load_weights(session, checkpoint);
  const EvalResult result =
      Evaluator(session, dataset, job, info.mean_image, info.image_size, options.views).run(true);
  if (!std::isfinite(result.loss)) refuse_outputs(options.checkpoint);
  return result;
}

}  // namespace convoy
