// Places the samples of training and draws their augmentation; lays out the views of evaluation.
#include "io/read/batch_plan.h"

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>
#include <vector>

#include "core/error.h"

namespace convoy {
namespace {

void check_crop(const Dataset& dataset, std::int64_t crop) {
  if (crop < 1) fail(ExitCode::usage, "a crop of {} pixels cannot be cut", crop);
  if (dataset.image_size() < crop) {
    fail(ExitCode::bad_data, "{} holds images of {} x {} pixels, too small for crops of {} x {}",
         dataset.folder().string(), dataset.image_size(), dataset.image_size(), crop, crop);
  }
  if (dataset.size() > std::numeric_limits<std::uint32_t>::max()) {
    fail(ExitCode::bad_data, "{} holds {} images; samples are numbered with 32 bits",
         dataset.folder().string(), dataset.size());
  }
}

void check_slice(Range slice, std::int64_t global_batch) {
  if (slice.begin < 0 || slice.size() < 1 || slice.end > global_batch) {
    fail(ExitCode::usage, "[{}, {}) is not a slice of a global batch of {}", slice.begin, slice.end,
         global_batch);
  }
}

void check_fill(std::int64_t batch, std::int64_t batches, std::size_t places, Range slice) {
  if (batch < 0 || batch >= batches) {
    fail(ExitCode::usage, "batch {} was asked of a plan of {}", batch, batches);
  }
  if (places > static_cast<std::size_t>(slice.size())) {
    fail(ExitCode::usage, "{} places were asked of a slice of {}", places, slice.size());
  }
}

}  // namespace

struct TrainPlan::State {
  State(const Dataset& dataset, const AugmentOptions& options, std::int64_t batch, Range places,
        std::uint64_t seed, std::int64_t first, std::int64_t last, const ShuffleOptions& shuffle)
      : offsets(static_cast<std::uint32_t>(dataset.image_size() - options.crop + 1)),
        pca(dataset.pca()),
        augment(options),
        epoch_steps(steps_per_epoch(dataset.size(), batch)),
        slice(places),
        first_step(first),
        last_step(last),
        sample_order(dataset, shuffle, batch, seed),
        crop_source(seed, Purpose::crop),
        colour_source(seed, Purpose::colour) {}

  const std::uint32_t offsets;  // places for a crop along one side
  const ColourPca pca;
  const AugmentOptions augment;
  const std::int64_t epoch_steps;
  const Range slice;
  const std::int64_t first_step;
  const std::int64_t last_step;
  const SampleOrder sample_order;
  const RandomSource crop_source;
  const RandomSource colour_source;

  struct Order {
    std::int64_t epoch = -1;
    std::vector<std::uint32_t> samples;
  };
  // Two neighbouring epochs: where one ends, threads still fill its last batch while others begin
  // the next.
  std::mutex mutex;
  std::array<Order, 2> orders;

  // The epoch's order; the mutex is held while it is read.
  const std::vector<std::uint32_t>& order_of(std::int64_t epoch) {
    Order& order = orders[static_cast<std::size_t>(epoch % 2)];
    if (order.epoch != epoch) {
      order.samples = sample_order.epoch(static_cast<std::uint32_t>(epoch));
      order.epoch = epoch;
    }
    return order.samples;
  }

  // The samples of this rank's places in a step of an epoch.
  void look_up(std::int64_t epoch, std::int64_t epoch_step, std::span<CropRequest> out) {
    const std::scoped_lock lock(mutex);
    const std::vector<std::uint32_t>& samples = order_of(epoch);
    const std::int64_t each = sample_order.lane_places();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::int64_t place = slice.begin + static_cast<std::int64_t>(i);
      const std::int64_t at =
          place / each * sample_order.lane_samples() + epoch_step * each + place % each;
      out[i].sample = samples[static_cast<std::size_t>(at)];
    }
  }

  // Windows are counted through all epochs. The last one that a step draws on:
  [[nodiscard]] std::int64_t last_window(std::int64_t step) const {
    const std::int64_t after = (step % epoch_steps + 1) * sample_order.lane_places();
    return step / epoch_steps * sample_order.windows() + sample_order.window_of(after - 1);
  }
  [[nodiscard]] std::int64_t first_window(std::int64_t step) const {
    return step / epoch_steps * sample_order.windows() +
           sample_order.window_of(step % epoch_steps * sample_order.lane_places());
  }
  [[nodiscard]] bool is_used(std::int64_t window) const {
    const std::int64_t begin = sample_order.window(window % sample_order.windows()).begin;
    return window / sample_order.windows() * epoch_steps + begin / sample_order.lane_places() <
           last_step;
  }

  // Adds the runs of neighbouring samples in a window of all lanes that the slice touches.
  void add_runs(std::int64_t window, std::vector<Range>& runs) {
    const Range part = sample_order.window(window % sample_order.windows());
    const std::int64_t each = sample_order.lane_places();
    std::vector<std::uint32_t> samples;
    {
      const std::scoped_lock lock(mutex);
      const std::vector<std::uint32_t>& order = order_of(window / sample_order.windows());
      for (std::int64_t lane = slice.begin / each; lane * each < slice.end; ++lane) {
        const auto first = order.begin() + lane * sample_order.lane_samples();
        samples.insert(samples.end(), first + part.begin, first + part.end);
      }
    }
    std::ranges::sort(samples);
    for (const std::int64_t sample : samples) {
      if (runs.empty() || runs.back().end != sample) runs.push_back({sample, sample});
      runs.back().end = sample + 1;
    }
  }

  [[nodiscard]] CropRecord draw(std::uint32_t epoch, std::uint32_t sample) const {
    CropRecord record;
    const PhiloxBlock words = crop_source.block(epoch, sample, 0);
    const auto centre = static_cast<std::int32_t>((offsets - 1) / 2);
    record.top = augment.random_crop ? static_cast<std::int32_t>(below(words[0], offsets)) : centre;
    record.left =
        augment.random_crop ? static_cast<std::int32_t>(below(words[1], offsets)) : centre;
    record.mirror = augment.mirror ? static_cast<std::int32_t>(below(words[2], 2)) : 0;
    if (augment.colour_noise > 0 &&
        (augment.noise_epochs == 0 || static_cast<std::int64_t>(epoch) < augment.noise_epochs)) {
      record.colour = draw_colour(epoch, sample);
    }
    return record;
  }

  // Section 4.1: a random multiple of each principal component, one draw for the whole image.
  [[nodiscard]] std::array<float, 3> draw_colour(std::uint32_t epoch, std::uint32_t sample) const {
    const PhiloxBlock words = colour_source.block(epoch, sample, 0);
    const std::array<double, 2> first = normals(words[0], words[1]);
    const std::array<double, 2> second = normals(words[2], words[3]);
    const std::array<double, 3> a = {first[0], first[1], second[0]};
    std::array<double, 3> sum{};
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t c = 0; c < 3; ++c) {
        sum[c] += augment.colour_noise * a[k] * pca.deviations[k] * pca.vectors[k][c];
      }
    }
    return {static_cast<float>(sum[0]), static_cast<float>(sum[1]), static_cast<float>(sum[2])};
  }
};

TrainPlan::TrainPlan(const Dataset& dataset, const AugmentOptions& augment,
                     std::int64_t global_batch, Range slice, std::uint64_t seed,
                     std::int64_t first_step, std::int64_t last_step,
                     const ShuffleOptions& shuffle) {
  check_crop(dataset, augment.crop);
  check_slice(slice, global_batch);
  if (dataset.size() < global_batch) {
    fail(ExitCode::bad_data, "{} holds {} images, fewer than one global batch of {}",
         dataset.folder().string(), dataset.size(), global_batch);
  }
  if (first_step < 0 || last_step < first_step) {
    fail(ExitCode::usage, "steps [{}, {}) cannot be planned", first_step, last_step);
  }
  state_ = std::make_unique<State>(dataset, augment, global_batch, slice, seed, first_step,
                                   last_step, shuffle);
}

TrainPlan::~TrainPlan() = default;

std::int64_t TrainPlan::batches() const { return state_->last_step - state_->first_step; }

void TrainPlan::fill(std::int64_t batch, std::span<CropRequest> out) const {
  check_fill(batch, batches(), out.size(), state_->slice);
  const std::int64_t step = state_->first_step + batch;
  const std::int64_t epoch = step / state_->epoch_steps;
  state_->look_up(epoch, step % state_->epoch_steps, out);
  for (CropRequest& request : out) {
    request.record =
        state_->draw(static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(request.sample));
  }
}

std::vector<Range> TrainPlan::read_ahead(std::int64_t batch) const {
  std::vector<Range> runs;
  if (state_->sample_order.windows() == 0) return runs;
  const std::int64_t step = state_->first_step + batch;
  const std::int64_t first =
      batch == 0 ? state_->first_window(step) : state_->last_window(step - 1) + 2;
  for (std::int64_t window = first; window <= state_->last_window(step) + 1; ++window)
    if (state_->is_used(window)) state_->add_runs(window, runs);
  return runs;
}

CropRecord evaluation_view(std::int64_t image_size, std::int64_t crop, int views, int view) {
  const auto edge = static_cast<std::int32_t>(image_size - crop);
  const std::int32_t centre = edge / 2;
  // Top left, top right, bottom left, bottom right, centre; the second five are mirrored.
  const std::array<std::array<std::int32_t, 2>, 5> corners = {
      {{0, 0}, {0, edge}, {edge, 0}, {edge, edge}, {centre, centre}}};
  const auto& [top, left] = corners[static_cast<std::size_t>(views == 1 ? 4 : view % 5)];
  return {.top = top, .left = left, .mirror = view < 5 ? 0 : 1};
}

EvalPlan::EvalPlan(const Dataset& dataset, std::int64_t crop, int views, std::int64_t global_batch,
                   Range slice)
    : samples_(dataset.size()),
      image_size_(dataset.image_size()),
      crop_(crop),
      views_(views),
      slice_(slice) {
  check_crop(dataset, crop);
  check_slice(slice, global_batch);
  if (views != 1 && views != 10) {
    fail(ExitCode::usage, "{} views were asked for; an image has 1 or 10", views);
  }
  if (global_batch % slice.size() != 0 || slice.begin % slice.size() != 0) {
    fail(ExitCode::usage, "slices like [{}, {}) do not divide a global batch of {} evenly",
         slice.begin, slice.end, global_batch);
  }
  images_per_slice_ = slice.size() / views;
  if (images_per_slice_ == 0) {
    fail(ExitCode::usage, "{} places a rank do not hold the {} views of one image", slice.size(),
         views);
  }
  replica_ = slice.begin / slice.size();
  images_per_batch_ = global_batch / slice.size() * images_per_slice_;
}

std::int64_t EvalPlan::batches() const {
  return (samples_ + images_per_batch_ - 1) / images_per_batch_;
}

void EvalPlan::fill(std::int64_t batch, std::span<CropRequest> out) const {
  check_fill(batch, batches(), out.size(), slice_);
  const std::int64_t first = batch * images_per_batch_ + replica_ * images_per_slice_;
  for (std::size_t place = 0; place < out.size(); ++place) {
    out[place] = CropRequest{};
    const std::int64_t image = static_cast<std::int64_t>(place) / views_;
    const std::int64_t sample = first + image;
    if (image >= images_per_slice_ || sample >= samples_) continue;
    const int view = static_cast<int>(static_cast<std::int64_t>(place) % views_);
    out[place] = {sample, evaluation_view(image_size_, crop_, views_, view)};
  }
}

}  // namespace convoy
