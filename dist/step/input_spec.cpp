// Translates the words of options, and takes the mean that they name.
#include "dist/step/input_spec.h"

#include <array>
#include <string>

#include "core/error.h"

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

PrepareInputSpec input_spec(const PreprocessOptions& options, const std::vector<float>& mean_image,
                            std::int64_t mean_size) {
  PrepareInputSpec spec;
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
  return spec;
}

PrepareInputSpec with_noise(PrepareInputSpec spec, const PreprocessOptions& options) {
  for (float& factor : spec.scale) factor /= static_cast<float>(options.noise_divisor);
  return spec;
}

}  // namespace convoy
