// Which image, cut how, stands at which place of which batch: the part of reading that must not
// depend on rank count, strategy or threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/ops/prepare_input.h"
#include "core/random.h"
#include "io/dataset/dataset.h"
#include "io/read/sample_order.h"

namespace convoy {

struct CropRequest {
  std::int64_t sample = -1;  // -1: padding, label -1
  CropRecord record;
};

class BatchPlan {
 public:
  virtual ~BatchPlan() = default;
  [[nodiscard]] virtual std::int64_t batches() const = 0;
  // Fills the places [0, out.size()) of this rank's slice of batch `batch`; out.size() is at most
  // the slice's size. Thread-safe.
  virtual void fill(std::int64_t batch, std::span<CropRequest> out) const = 0;
  // Runs of samples that this rank will soon read, to be fetched when batch `batch` is begun. What
  // the batches before it have told is not told again. Thread-safe.
  [[nodiscard]] virtual std::vector<Range> read_ahead(std::int64_t) const { return {}; }
};

// Training augmentation (Krizhevsky et al. 2012, section 4.1).
struct AugmentOptions {
  std::int64_t crop = 227;        // H = W
  bool random_crop = true;        // else the centre
  bool mirror = true;             // with probability 1/2
  double colour_noise = 0.1;      // standard deviation of the PCA coefficients; 0 = off
  std::int64_t noise_epochs = 0;  // colour noise only before this epoch; 0 = always
};

// Training: batch b is step first_step + b of the run. Step s lies in epoch e = s / steps per
// epoch; epoch e visits the samples in an order drawn for it (SampleOrder); floor(n / batch) steps
// an epoch.
// What stands at a place of the global batch does not depend on the slice that holds the place.
class TrainPlan : public BatchPlan {
 public:
  // `slice`: this rank's places in the global batch; batch b of the plan is step first_step + b,
  // and last_step is the first one not planned. Throws Error(bad_data) where the dataset holds
  // fewer images than a global batch or images are smaller than the crop, Error(usage) for a slice
  // outside the batch.
  TrainPlan(const Dataset& dataset, const AugmentOptions& augment, std::int64_t global_batch,
            Range slice, std::uint64_t seed, std::int64_t first_step, std::int64_t last_step,
            const ShuffleOptions& shuffle = {});
  ~TrainPlan() override;
  [[nodiscard]] std::int64_t batches() const override;
  void fill(std::int64_t batch, std::span<CropRequest> out) const override;
  // The blocks of each window of the rank's lanes, one window ahead; nothing under Shuffle::full.
  [[nodiscard]] std::vector<Range> read_ahead(std::int64_t batch) const override;
  [[nodiscard]] static std::int64_t steps_per_epoch(std::int64_t samples, std::int64_t batch) {
    return samples / batch;
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// View `view` of the `views` of an image of image_size pixels: 1 (centre) or 10 (four corners,
// centre and their mirrors, section 4.1).
[[nodiscard]] CropRecord evaluation_view(std::int64_t image_size, std::int64_t crop, int views,
                                         int view);

// Evaluation: every image once, in storage order, by its evaluation views. The views of an image
// are neighbours in a batch and never leave their slice: each of the equal slices holds floor(slice
// / views) whole images, replica r (= slice.begin / slice.size()) those after its predecessors', so
// that replicas take disjoint images and every image is counted exactly once on any number of
// replicas. Places without an image (the end of a slice that views do not divide, the end of the
// last batch) are padding.
class EvalPlan : public BatchPlan {
 public:
  // Throws Error(usage) where slices of this size do not divide the global batch or do not hold one
  // image's views, Error(bad_data) where images are smaller than the crop.
  EvalPlan(const Dataset& dataset, std::int64_t crop, int views, std::int64_t global_batch,
           Range slice);
  [[nodiscard]] std::int64_t batches() const override;
  void fill(std::int64_t batch, std::span<CropRequest> out) const override;

 private:
  std::int64_t samples_;
  std::int64_t image_size_;
  std::int64_t crop_;
  int views_;
  std::int64_t images_per_slice_ = 0;
  std::int64_t images_per_batch_ = 0;  // over all slices
  std::int64_t replica_ = 0;
  Range slice_;
};

}  // namespace convoy
