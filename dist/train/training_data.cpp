// Checks a training set against the net and the batch.
#include "dist/train/training_data.h"

#include "core/error.h"

namespace convoy {

JobOptions with_classes(JobOptions options, const Dataset& dataset) {
  const auto classes = static_cast<std::int64_t>(dataset.classes().size());
  if (options.model.classes == 0) options.model.classes = classes;
  if (options.model.classes < classes) {
    fail(ExitCode::usage, "model.classes is {}, but {} has {} classes; leave model.classes out",
         options.model.classes, dataset.folder().string(), classes);
  }
  if (options.solver.batch > dataset.size()) {
    fail(ExitCode::bad_data,
         "{} holds {} images, fewer than one global batch of {}; use a smaller --solver.batch",
         dataset.folder().string(), dataset.size(), options.solver.batch);
  }
  return options;
}

AugmentOptions augmentation(const JobOptions& options) {
  const PreprocessOptions& p = options.preprocess;
  return {options.model.input, p.random_crop, p.mirror, p.colour_noise, p.noise_epochs};
}

}  // namespace convoy
