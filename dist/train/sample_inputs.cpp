// Undoes mean and scale by passing black crops along: whatever the recipe, the difference to them
// is the crop's own colours, times the scale.
#include "dist/train/sample_inputs.h"

#include <algorithm>
#include <cmath>

#include "core/device.h"
#include "core/error.h"
#include "core/ops/operations.h"
#include "dist/step/input_spec.h"
#include "dist/train/dataset_options.h"
#include "dist/train/training_data.h"
#include "io/read/reader.h"

namespace convoy {
namespace {

class InputSampler {
 public:
  InputSampler(const Dataset& dataset, const JobOptions& job, std::int64_t places)
      : options_(job.preprocess),
        shape_{places, job.model.input, job.model.input, 3},
        device_(make_device({.kind = "cpu", .threads = job.device.threads}, {})),
        stream_(device_->make_stream()),
        mean_(dataset.mean_image()),
        spec_(input_spec(job.preprocess, mean_, dataset.image_size())),
        x_(device_->allocate(static_cast<std::size_t>(shape_.count()) * sizeof(float))),
        black_(device_->allocate(static_cast<std::size_t>(shape_.count()) * sizeof(float))),
        black_crops_(device_->allocate(static_cast<std::size_t>(shape_.count()))) {
    spec_.images = shape_.n;
    spec_.size = shape_.h;
    spec_.form = InputForm::plain(shape_);
  }

  // Makes the inputs of a batch.
  void take(const Batch& batch, bool noise) {
    const PrepareInputSpec spec = noise ? with_noise(spec_, options_) : spec_;
    scale_ = spec.scale;
    const auto prepare = device_->operations().prepare_input(spec);
    const OpContext op{*stream_};
    std::vector<CropRecord> records(batch.records.begin(), batch.records.end());
    prepare->apply(op, {const_cast<std::uint8_t*>(batch.crops), shape_, DType::u8}, records.data(),
                   mean_.data(), {x_.data(), shape_});
    for (CropRecord& record : records) record.colour = {};
    prepare->apply(op, {black_crops_.data(), shape_, DType::u8}, records.data(), mean_.data(),
                   {black_.data(), shape_});
    stream_->synchronize();
  }

  [[nodiscard]] std::vector<std::uint8_t> pixels(std::int64_t place) const {
    const std::int64_t count = shape_.per_row();
    const float* const x = static_cast<const float*>(x_.data()) + place * count;
    const float* const black = static_cast<const float*>(black_.data()) + place * count;
    std::vector<std::uint8_t> rgb(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t c = options_.bgr ? 2 - i % 3 : i % 3;
      const float value = (x[i] - black[i]) / scale_[static_cast<std::size_t>(c)];
      rgb[static_cast<std::size_t>(i - i % 3 + c)] =
          static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
    }
    return rgb;
  }

 private:
  const PreprocessOptions& options_;
  Shape shape_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  const std::vector<float>& mean_;
  PrepareInputSpec spec_;
  std::array<float, 3> scale_{};
  Buffer x_;
  Buffer black_;
  Buffer black_crops_;
};

}  // namespace

std::vector<SampledInput> sample_inputs(const Dataset& dataset, const JobOptions& options,
                                        std::int64_t steps_done, std::int64_t images) {
  const JobOptions job = with_classes(options, dataset);
  const std::int64_t batch = job.solver.batch;
  const std::int64_t steps = (images + batch - 1) / batch;
  const std::int64_t places = std::min(batch, images);  // of each batch, the first
  const TrainPlan plan(dataset, augmentation(job), batch, {0, places}, job.run.seed, steps_done,
                       steps_done + steps, shuffle_options(job.data));
  Reader reader(dataset, plan,
                {.images = places, .crop = job.model.input, .threads = job.data.threads});
  InputSampler sampler(dataset, job, places);
  std::vector<SampledInput> inputs;
  std::vector<CropRequest> requests(static_cast<std::size_t>(places));
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t epoch =
        (steps_done + step) / TrainPlan::steps_per_epoch(dataset.size(), batch);
    const Batch read = reader.next();
    plan.fill(step, requests);
    sampler.take(read, carries_noise(job.preprocess, epoch));
    for (std::int64_t place = 0; place < places && std::ssize(inputs) < images; ++place) {
      const CropRequest& request = requests[static_cast<std::size_t>(place)];
      inputs.push_back({steps_done + step + 1, place, request.sample, read.labels[place],
                        request.record, sampler.pixels(place)});
    }
  }
  return inputs;
}

}  // namespace convoy
