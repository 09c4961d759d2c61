// A checkpoint's net on images that stand in memory: probabilities, logits and features. It knows
// neither files nor datasets; whoever has squares of pixels fills its places and runs it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/ops/convert.h"
#include "dist/job.h"
#include "dist/step/input_feed.h"
#include "dist/step/session.h"
#include "io/run/checkpoint.h"

namespace convoy {

// Outputs of the net that `job` describes, the checkpoint's: at least as many as its classes, which
// are the first ones. Throws Error(bad_checkpoint) where there are fewer, or none.
[[nodiscard]] std::int64_t outputs_of(const CheckpointReader& checkpoint, const JobOptions& job);

class Predictor {
 public:
  // `job` is the checkpoint's, with device and precision as they are wanted; its batch and strategy
  // are set here. `images` are taken at a time, each by `views` (1: centre, 10). Throws
  // Error(usage) in a job of several ranks, Error(bad_checkpoint) for weights or classes that do
  // not fit the net and for values that are not finite.
  Predictor(World& world, const CheckpointReader& checkpoint, const JobOptions& job,
            std::int64_t images, int views);

  [[nodiscard]] std::int64_t images() const { return images_; }
  [[nodiscard]] std::int64_t image_size() const { return image_size_; }  // S of place()
  [[nodiscard]] std::int64_t classes() const { return session_.net().classes; }
  [[nodiscard]] std::int64_t features() const { return hidden_.values; }  // of an image
  [[nodiscard]] Session& session() { return session_; }

  // Puts square [S, S, 3] RGB at place `image` of the next run.
  void place(std::int64_t image, std::span<const std::uint8_t> square);
  // Passes all places; those not filled since the last run hold what they held.
  void run();
  // Passes a batch of a reader, of images() x views crops, instead.
  void run(const Batch& batch);

  // Of the last run, valid until the next. Throw Error(bad_checkpoint) where the net makes no
  // numbers of the image.
  [[nodiscard]] std::span<const float> probabilities(std::int64_t image) const;  // mean over views
  // Of an image's only view.
  [[nodiscard]] std::span<const float> logits(std::int64_t image) const;
  // Of an image's only view: what the last layer reads, the activations of the last hidden layer.
  [[nodiscard]] std::span<const float> hidden(std::int64_t image) const;

 private:
  // An activation on its way to the host, as fp32.
  struct Outlet {
    std::int64_t values = 0;  // of a view
    Buffer converted;         // on the device, where the activation is not fp32
    Buffer host;
  };
  [[nodiscard]] Outlet make_outlet(const Tensor& activation);
  void queue(const Tensor& activation, Outlet& outlet);
  void require_numbers(std::int64_t image) const;
  [[nodiscard]] std::span<const float> part(const Outlet& outlet, std::int64_t image) const;

  std::filesystem::path checkpoint_;
  std::int64_t images_;
  int views_;
  std::int64_t image_size_;
  Session session_;
  InputFeed feed_;
  std::int64_t crop_;
  std::size_t last_layer_ = 0;
  std::unique_ptr<ConvertOp> convert_;
  Buffer crops_;
  std::vector<std::int32_t> labels_;
  std::vector<CropRecord> records_;
  std::vector<float> p_;  // [N, classes], averaged in place
  Outlet logits_;
  Outlet hidden_;
};

}  // namespace convoy
