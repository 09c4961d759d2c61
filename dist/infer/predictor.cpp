// Cuts views out of squares, passes them, and brings what was asked for to the host.
#include "dist/infer/predictor.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/ops/operations.h"
#include "dist/checkpoint/weights_file.h"
#include "dist/step/views.h"

namespace convoy {
namespace {

JobOptions for_prediction(const World& world, const CheckpointReader& checkpoint, JobOptions job,
                          std::int64_t images, int views) {
  const CheckpointInfo& info = checkpoint.info();
  if (world.size() > 1) {
    fail(ExitCode::usage, "one rank is enough for this, and {} were started; leave out mpirun",
         world.size());
  }
  job.model.classes = outputs_of(checkpoint, job);
  if (info.image_size < job.model.input) {
    fail(ExitCode::bad_checkpoint,
         "{} was trained on images of {} x {} pixels, too small for the crops of {} that its net "
         "takes",
         checkpoint.path().string(), info.image_size, info.image_size, job.model.input);
  }
  job.solver.batch = images * views;
  job.dist.strategy = "single";
  return job;
}

// Takes what a layer reads before that is overwritten.
class TapInput : public LayerObserver {
 public:
  TapInput(std::size_t layer, const std::function<void()>& take) : layer_(layer), take_(take) {}
  void begin(std::size_t layer, bool) override {
    if (layer == layer_) take_();
  }
  void end(std::size_t, bool) override {}

 private:
  std::size_t layer_;
  const std::function<void()>& take_;
};

}  // namespace

std::int64_t outputs_of(const CheckpointReader& checkpoint, const JobOptions& job) {
  const auto classes = static_cast<std::int64_t>(checkpoint.info().classes.size());
  const std::int64_t outputs = job.model.classes == 0 ? classes : job.model.classes;
  if (outputs == 0)
    fail(ExitCode::bad_checkpoint, "{} names no classes", checkpoint.path().string());
  if (outputs < classes) {
    fail(ExitCode::bad_checkpoint, "{} names {} classes, but its net tells {} apart",
         checkpoint.path().string(), classes, outputs);
  }
  return outputs;
}

Predictor::Predictor(World& world, const CheckpointReader& checkpoint, const JobOptions& job,
                     std::int64_t images, int views)
    : checkpoint_(checkpoint.path()),
      images_(images),
      views_(views),
      image_size_(checkpoint.info().image_size),
      session_(world, for_prediction(world, checkpoint, job, images, views)),
      feed_(session_, job.preprocess, checkpoint.info().mean_image, image_size_),
      crop_(session_.net().input.h),
      convert_(session_.device().operations().convert()) {
  load_weights(session_, checkpoint);
  const auto layers = session_.network().layers();
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!layers[i]->parameters().empty()) last_layer_ = i;

  const auto places = static_cast<std::size_t>(images * views);
  crops_ = session_.device().allocate_host(places * static_cast<std::size_t>(crop_ * crop_ * 3));
  labels_.assign(places, -1);
  for (std::size_t place = 0; place < places; ++place) {
    records_.push_back(evaluation_view(image_size_, crop_, views,
                                       static_cast<int>(static_cast<std::int64_t>(place) % views)));
  }
  p_.resize(places * static_cast<std::size_t>(classes()));
  logits_ = make_outlet(session_.network().logits());
  hidden_ = make_outlet(session_.network().input_of(last_layer_));
}

Predictor::Outlet Predictor::make_outlet(const Tensor& activation) {
  const auto bytes = static_cast<std::size_t>(activation.count()) * sizeof(float);
  Outlet outlet;
  outlet.values = activation.shape.per_row();
  if (activation.type != DType::f32) outlet.converted = session_.device().allocate(bytes);
  outlet.host = session_.device().allocate_host(bytes);
  return outlet;
}

void Predictor::queue(const Tensor& activation, Outlet& outlet) {
  const void* from = activation.data;
  if (activation.type != DType::f32) {
    convert_->apply(session_.op(), activation,
                    {outlet.converted.data(), activation.shape, DType::f32});
    from = outlet.converted.data();
  }
  session_.device().copy_to_host(outlet.host.data(), from, outlet.host.bytes(), session_.stream());
}

void Predictor::place(std::int64_t image, std::span<const std::uint8_t> square) {
  const std::int64_t row_bytes = crop_ * 3;
  for (std::int64_t view = image * views_; view < (image + 1) * views_; ++view) {
    const CropRecord& record = records_[static_cast<std::size_t>(view)];
    const std::uint8_t* from = square.data() + (record.top * image_size_ + record.left) * 3;
    auto* to = static_cast<std::uint8_t*>(crops_.data()) + view * crop_ * row_bytes;
    for (std::int64_t row = 0; row < crop_; ++row, from += image_size_ * 3, to += row_bytes)
      std::copy_n(from, row_bytes, to);
  }
}

void Predictor::run() {
  run({0, static_cast<const std::uint8_t*>(crops_.data()), labels_.data(), records_});
}

void Predictor::run(const Batch& batch) {
  Network& network = session_.network();
  feed_.upload(batch);
  feed_.await(session_.stream());
  feed_.load(false, session_.op(), network.input());
  const std::function<void()> take = [&] { queue(network.input_of(last_layer_), hidden_); };
  TapInput tap(last_layer_, take);
  session_.evaluate(&tap);
  feed_.done(session_.stream());
  queue(network.logits(), logits_);  // first: the softmax may use their memory
  session_.probabilities(p_.data());
  average_views(p_, static_cast<std::size_t>(images_), static_cast<std::size_t>(views_),
                static_cast<std::size_t>(classes()));
}

// Weights that are numbers may be so large that what they make is none.
void Predictor::require_numbers(std::int64_t image) const {
  const auto views = std::span(static_cast<const float*>(logits_.host.data()),
                               static_cast<std::size_t>(images_ * views_ * logits_.values))
                         .subspan(static_cast<std::size_t>(image * views_ * logits_.values),
                                  static_cast<std::size_t>(views_ * logits_.values));
  if (std::ranges::all_of(views, [](float value) { return std::isfinite(value); })) return;
  refuse_outputs(checkpoint_);
}

std::span<const float> Predictor::probabilities(std::int64_t image) const {
  require_numbers(image);
  const auto count = static_cast<std::size_t>(session_.net().classes);
  return std::span(p_).subspan(static_cast<std::size_t>(image) * count, count);
}

std::span<const float> Predictor::part(const Outlet& outlet, std::int64_t image) const {
  return {static_cast<const float*>(outlet.host.data()) + image * views_ * outlet.values,
          static_cast<std::size_t>(outlet.values)};
}

std::span<const float> Predictor::logits(std::int64_t image) const {
  require_numbers(image);
  return part(logits_, image);
}

std::span<const float> Predictor::hidden(std::int64_t image) const {
  require_numbers(image);
  return part(hidden_, image);
}

}  // namespace convoy
