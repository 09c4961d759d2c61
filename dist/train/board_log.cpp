// Draws, counts and hands over to the event files.
#include "dist/train/board_log.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dist/train/sample_inputs.h"
#include "io/images/kernel_sheet.h"

namespace convoy {
namespace {

constexpr std::int64_t kInputs = 8;

void show_inputs(const Dataset& dataset, const JobOptions& options, RunFolder& folder) {
  std::vector<SampledInput> inputs = sample_inputs(dataset, options, 0, kInputs);
  const std::int64_t size = options.model.input;
  const auto bytes = static_cast<std::size_t>(kInputs * size * size * 3);
  folder.show(bytes, [inputs = std::move(inputs), size](EventFolder& events) {
    std::vector<TaggedPicture> pictures;
    for (const SampledInput& input : inputs) {
      pictures.push_back(
          {fmt::format("inputs/{}", pictures.size()), input.pixels.data(), size, size});
    }
    events.write(0, pictures);
  });
}

void show_kernels(const std::string& layer, const Shape& shape, const std::vector<float>& weights,
                  std::int64_t towers, bool bgr, std::int64_t step, EventFolder& events) {
  constexpr std::int64_t colours = 3;
  const auto finite = [](float weight) { return std::isfinite(weight); };
  if (shape.c != colours || !std::ranges::all_of(weights, finite)) return;
  const Canvas sheet = draw_kernels({.weights = weights,
                                     .kernels = shape.n,
                                     .rows = shape.h,
                                     .columns = shape.w,
                                     .bgr = bgr,
                                     .blocks = shape.n % towers == 0 ? towers : 1});
  const std::vector<TaggedPicture> pictures{
      {"kernels/" + layer, sheet.pixels().data(), sheet.height(), sheet.width()}};
  events.write(step, pictures);
}

}  // namespace

BoardLog::BoardLog(Session& session, const JobOptions& options)
    : options_(options), towers_(session.net().towers) {
  if (options.run.tensorboard && options.run.histogram_every > 0) histograms_.emplace(session);
}

void BoardLog::begin(const Dataset& dataset, const std::string& config, std::int64_t step,
                     RunFolder* folder) {
  if (folder != nullptr && options_.run.tensorboard) {
    folder->show(config.size(),
                 [step, config](EventFolder& events) { events.write_config(step, config); });
    if (step == 0) show_inputs(dataset, options_, *folder);
  }
  if (step == 0 && histograms_) show_parameters(step, folder);
}

void BoardLog::after_step(std::int64_t step, std::int64_t last_step, RunFolder* folder) {
  if (reads_gradients_after(step, last_step)) show_parameters(step, folder);
}

bool BoardLog::reads_gradients_after(std::int64_t step, std::int64_t last_step) const {
  return histograms_ && (step % options_.run.histogram_every == 0 || step == last_step);
}

// Before the first step there are no gradients.
void BoardLog::show_parameters(std::int64_t step, RunFolder* folder) {
  std::vector<TaggedHistogram> all = histograms_->take(step > 0);
  std::vector<float> kernels = histograms_->first_kernels();
  if (folder == nullptr) return;
  for (const TaggedHistogram& one : all) {
    if (one.histogram.not_finite == 0) continue;
    folder->warn(fmt::format("{} of the {} values of {} are no longer finite after step {}",
                             one.histogram.not_finite, one.histogram.values(), one.tag, step));
  }
  const std::size_t counts = all.size() * sizeof(std::int64_t) * Histogram::kBins;
  folder->show(counts,
               [step, all = std::move(all)](EventFolder& events) { events.write(step, all); });
  const Parameter& first = histograms_->first_layer();
  const std::size_t weights = kernels.size() * sizeof(float);
  folder->show(weights,
               [step, kernels = std::move(kernels), layer = first.layer, shape = first.logical,
                towers = towers_, bgr = options_.preprocess.bgr](EventFolder& events) {
                 show_kernels(layer, shape, kernels, towers, bgr, step, events);
               });
}

}  // namespace convoy
