// Evaluates the network of a session on a dataset: every image counted exactly once.
#pragma once

#include <functional>
#include <vector>

#include "dist/job.h"
#include "dist/step/input_feed.h"
#include "dist/step/session.h"
#include "io/dataset/dataset.h"

namespace convoy {

class Evaluator {
 public:
  // `mean_image` [mean_size, mean_size, 3] is the training set's. views: 1 (centre) or 10 (section
  // 4.1). Throws Error(usage) where a replica's share of the batch is smaller than `views`,
  // Error(bad_data) where the dataset's images are smaller than the crop, or do not lie over the
  // mean image that is cut with them (data.mean crop).
  Evaluator(Session& session, const Dataset& dataset, const JobOptions& options,
            const std::vector<float>& mean_image, std::int64_t mean_size, int views);

  // Collective. The result is the same on every rank. Rank 0 shows its progress where asked to.
  // Every rank calls `between`, where there is one, after each batch; it may throw.
  EvalResult run(bool show_progress = false, const std::function<void()>& between = nullptr);

 private:
  LossSums sums_of(const Batch& batch);

  Session& session_;
  const Dataset& dataset_;
  int views_;
  DataOptions data_;
  InputFeed feed_;
  std::vector<float> p_;              // [N, classes] of a batch of views
  std::vector<std::int32_t> labels_;  // of the images whose views are in a batch
  Buffer mean_p_;                     // [N / views, classes]
  Buffer device_labels_;
  Buffer sums_;
  std::unique_ptr<SoftmaxLossOp> loss_;
};

}  // namespace convoy
