// Forward passes over an evaluation plan, softmax averaged over views.
#include "dist/train/evaluator.h"

#include <algorithm>

#include "core/error.h"
#include "dist/step/views.h"
#include "dist/watch/place_observer.h"
#include "io/run/progress.h"

namespace convoy {

Evaluator::Evaluator(Session& session, const Dataset& dataset, const JobOptions& options,
                     const std::vector<float>& mean_image, std::int64_t mean_size, int views)
    : session_(session),
      dataset_(dataset),
      views_(views),
      data_(options.data),
      feed_(session, options.preprocess, mean_image, mean_size),
      loss_(session.device().operations().softmax_loss(session.slice().size())) {
  const std::int64_t places = session.slice().size();
  if (views != 1 && views != 10) {
    fail(ExitCode::usage, "{} views were asked for; evaluation takes 1 (centre) or 10", views);
  }
  if (places < views) {
    fail(ExitCode::usage,
         "a rank evaluates {} crops at a time, which do not hold the {} views of one image; set "
         "--solver.batch to at least {}",
         places, views, views * session.strategy().grid.replicas);
  }
  // Refuses images smaller than the crop now, not after the first epoch of training.
  static_cast<void>(
      EvalPlan(dataset, session.net().input.h, views, session.global_batch(), session.slice()));
  if (options.preprocess.mean == "crop" && !options.preprocess.unit_scale &&
      dataset.image_size() != mean_size) {
    fail(ExitCode::bad_data,
         "{} holds images of {} x {} pixels, but with data.mean crop the training set's mean of {} "
         "x {} is cut at the same place; pack both with the same --size",
         dataset.folder().string(), dataset.image_size(), dataset.image_size(), mean_size,
         mean_size);
  }
  const auto images = static_cast<std::size_t>(places / views);
  const auto classes = static_cast<std::size_t>(session.net().classes);
  p_.resize(static_cast<std::size_t>(places) * classes);
  labels_.resize(images);
  mean_p_ = session.device().allocate(images * classes * sizeof(float));
  device_labels_ = session.device().allocate(images * sizeof(std::int32_t));
  sums_ = session.device().allocate(sizeof(LossSums));
}

EvalResult Evaluator::run(bool show_progress, const std::function<void()>& between) {
  const EvalPlan plan(dataset_, session_.net().input.h, views_, session_.global_batch(),
                      session_.slice());
  Reader reader(dataset_, plan, session_.reader_options(dataset_, data_));
  Progress progress("evaluate", "batches", plan.batches(), !show_progress || !session_.leader());
  LossSums mine;
  CollectiveRecord& record = session_.world().record();
  record.set_place(Phase::evaluation);
  for (std::int64_t i = 0; i < plan.batches(); ++i) {
    const LossSums sums = sums_of(reader.next());
    progress.update(i + 1);
    mine.loss += sums.loss;
    mine.images += sums.images;
    mine.top1 += sums.top1;
    mine.top5 += sums.top5;
    if (between) between();
  }
  const LossSums all = session_.total(mine);
  record.set_place(Phase::between);
  const auto images = static_cast<double>(std::max<std::int64_t>(1, all.images));
  return {all.images, all.loss / images, static_cast<double>(all.top1) / images,
          static_cast<double>(all.top5) / images, views_};
}

LossSums Evaluator::sums_of(const Batch& batch) {
  Network& network = session_.network();
  feed_.upload(batch);
  feed_.await(session_.stream());
  feed_.load(false, session_.op(), network.input());
  PlaceObserver place(session_.world().record(), Phase::evaluation);
  session_.evaluate(&place);
  session_.exposed().take();
  if (views_ == 1) {
    const LossSums sums = session_.loss(feed_.labels(), 0);
    feed_.done(session_.stream());
    return sums;
  }
  feed_.done(session_.stream());

  session_.probabilities(p_.data());
  for (std::size_t image = 0; image < labels_.size(); ++image)
    labels_[image] = batch.labels[image * static_cast<std::size_t>(views_)];
  average_views(p_, labels_.size(), static_cast<std::size_t>(views_),
                static_cast<std::size_t>(session_.net().classes));
  Device& device = session_.device();
  Stream& stream = session_.stream();
  const auto images = static_cast<std::int64_t>(labels_.size());
  device.copy_to_device(mean_p_.data(), p_.data(), mean_p_.bytes(), stream);
  device.copy_to_device(device_labels_.data(), labels_.data(), device_labels_.bytes(), stream);
  auto* sums = static_cast<LossSums*>(sums_.data());
  loss_->evaluate(session_.op(),
                  {mean_p_.data(), {images, 1, 1, session_.net().classes}, DType::f32},
                  {device_labels_.data(), {images, 1, 1, 1}, DType::i32}, sums);
  LossSums host;
  device.copy_to_host(&host, sums, sizeof host, stream);
  stream.synchronize();
  return host;
}

}  // namespace convoy
