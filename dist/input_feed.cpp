// Chooses the input transformation of a recipe and applies it on the device.
#include "dist/input_feed.h"

#include "core/error.h"
#include "core/ops/operations.h"

namespace convoy {
namespace {

MeanKind mean_kind(const std::string& name) {
  if (name == "none") return MeanKind::none;
  if (name == "channel") return MeanKind::channel;
  if (name == "centre") return MeanKind::centre_crop;
  if (name == "crop") return MeanKind::same_crop;
  fail(ExitCode::usage, "data.mean is '{}'; use none, channel, centre or crop", name);
}

// ImageNet's usual channel statistics for values in 0..1, as torchvision publishes them.
constexpr std::array<float, 3> kUnitMean{0.485f, 0.456f, 0.406f};
constexpr std::array<float, 3> kUnitDeviation{0.229f, 0.224f, 0.225f};

std::array<float, 3> channel_means(const std::vector<float>& image) {
  std::array<double, 3> sums{};
  for (std::size_t i = 0; i < image.size(); ++i) sums[i % 3] += static_cast<double>(image[i]);
  const double pixels = static_cast<double>(image.size()) / 3;
  return {static_cast<float>(sums[0] / pixels), static_cast<float>(sums[1] / pixels),
          static_cast<float>(sums[2] / pixels)};
}

}  // namespace

InputFeed::InputFeed(Session& session, const PreprocessOptions& options,
                     const std::vector<float>& mean_image, std::int64_t mean_size)
    : device_(session.device()),
      shape_{session.slice().size(), session.net().input.h, session.net().input.w, 3} {
  PrepareInputSpec spec;
  spec.images = shape_.n;
  spec.size = shape_.h;
  spec.form = session.network().input_form();
  spec.mean = mean_kind(options.mean);
  spec.bgr = options.bgr;
  spec.mean_size = mean_size;
  if (options.unit_scale) {
    spec.mean = MeanKind::channel;
    for (std::size_t c = 0; c < 3; ++c) {
      spec.channel_mean[c] = 255 * kUnitMean[c];
      spec.scale[c] = 1 / (255 * kUnitDeviation[c]);
    }
  } else if (spec.mean == MeanKind::channel) {
    spec.channel_mean = channel_means(mean_image);
  }
  plain_ = device_.operations().prepare_input(spec);
  for (float& factor : spec.scale) factor /= static_cast<float>(options.noise_divisor);
  noisy_ = device_.operations().prepare_input(spec);

  crops_ = device_.allocate(static_cast<std::size_t>(shape_.count()));
  records_ = device_.allocate(static_cast<std::size_t>(shape_.n) * sizeof(CropRecord));
  mean_ = device_.allocate(mean_image.size() * sizeof(float));
  const auto stream = device_.make_stream();
  device_.copy_to_device(mean_.data(), mean_image.data(), mean_.bytes(), *stream);
  stream->synchronize();
}

void InputFeed::load(const Batch& batch, bool noise, const OpContext& op, const Tensor& x) {
  const Tensor crops{crops_.data(), shape_, DType::u8};
  device_.copy_to_device(crops.data, batch.crops, crops.bytes(), op.stream);
  device_.copy_to_device(records_.data(), batch.records.data(), records_.bytes(), op.stream);
  PrepareInputOp& prepare = noise ? *noisy_ : *plain_;
  prepare.apply(op, crops, static_cast<const CropRecord*>(records_.data()),
                static_cast<const float*>(mean_.data()), x);
}

}  // namespace convoy
