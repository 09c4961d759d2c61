// Draws procedural images, a pattern a class, and writes them as JPEGs.
#include "io/pack/synth.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <numbers>
#include <string>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/random.h"
#include "io/files/durable.h"
#include "io/images/image.h"
#include "io/images/jpeg_encoder.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 8> patterns{"bars",  "columns", "checks",  "disc",
                                              "rings", "cross",   "diamond", "waves"};

// The draws of one image: its own counter, so that no image depends on another.
class Draws {
 public:
  Draws(const RandomSource& source, std::uint32_t time, std::uint32_t position)
      : source_(source), time_(time), position_(position) {}

  [[nodiscard]] double between(double low, double high) {
    if (used_ == 4) {
      words_ = source_.block(time_, position_, block_++);
      used_ = 0;
    }
    return low + (high - low) * uniform(words_[used_++]);
  }

 private:
  RandomSource source_;
  std::uint32_t time_;
  std::uint32_t position_;
  std::uint32_t block_ = 0;
  PhiloxBlock words_{};
  std::size_t used_ = 4;
};

// How one image's pattern lies: its centre and unit length, in units of the shorter side.
struct Form {
  std::size_t pattern = 0;
  double fineness = 1;  // higher for the second, third, ... class of a pattern
  double x = 0;
  double y = 0;
  double radius = 0;
  double phase = 0;
};

// True where the pattern covers the point (u, v), measured from the centre.
bool covers(const Form& form, double u, double v) {
  const double waves = 5 * form.fineness;
  const auto stripe = [&](double at) {
    return std::sin(2 * std::numbers::pi * (waves * at + form.phase)) > 0;
  };
  const double distance = std::hypot(u, v);
  switch (form.pattern) {
    case 0:
      return stripe(v);
    case 1:
      return stripe(u);
    case 2:
      return stripe(u) != stripe(v);
    case 3:
      return distance < form.radius / form.fineness;
    case 4:
      return stripe(distance);
    case 5:
      return std::min(std::abs(u), std::abs(v)) < form.radius / (3 * form.fineness);
    case 6:
      return std::abs(u) + std::abs(v) < form.radius * 1.25 / form.fineness;
    default:
      return stripe(v + 0.08 * std::sin(10 * u));
  }
}

using Colour = std::array<double, 3>;

Image draw(const SynthOptions& options, std::size_t label, Draws draws) {
  Image image;
  const auto vary = [&](std::int64_t side) {
    return std::max<std::int64_t>(
        1, std::llround(static_cast<double>(side) * draws.between(0.9, 1.1)));
  };
  image.width = vary(options.width);
  image.height = vary(options.height);
  image.pixels.resize(static_cast<std::size_t>(image.width * image.height * 3));

  Form form;
  form.pattern = label % patterns.size();
  form.fineness =
      (1.0 + 0.6 * static_cast<double>(label / patterns.size())) * draws.between(0.9, 1.1);
  form.x = draws.between(0.35, 0.65);
  form.y = draws.between(0.35, 0.65);
  form.radius = draws.between(0.2, 0.35);
  form.phase = draws.between(0, 1);
  // Any two colours that differ in brightness, light on dark or dark on light.
  Colour pattern{};
  Colour ground{};
  const double sign = draws.between(-1, 1) < 0 ? -1 : 1;
  for (std::size_t c = 0; c < 3; ++c) {
    pattern[c] = 128 + sign * draws.between(10, 110);
    ground[c] = 128 - sign * draws.between(10, 110);
  }
  const double noise = draws.between(4, 16);

  const auto unit = static_cast<double>(std::min(image.width, image.height));
  auto* out = image.pixels.data();
  for (std::int64_t y = 0; y < image.height; ++y) {
    for (std::int64_t x = 0; x < image.width; ++x) {
      const double u = (static_cast<double>(x) - form.x * static_cast<double>(image.width)) / unit;
      const double v = (static_cast<double>(y) - form.y * static_cast<double>(image.height)) / unit;
      const Colour& colour = covers(form, u, v) ? pattern : ground;
      const double grain = draws.between(-noise, noise);
      for (const double value : colour) {
        *out++ = static_cast<std::uint8_t>(std::clamp(value + grain, 0.0, 255.0));
      }
    }
  }
  return image;
}

void write_jpeg(const JpegEncoder& encoder, const fs::path& path, const Image& image) {
  const auto bytes = encoder.encode(image.pixels.data(), image.height, image.width);
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  out.close();
  if (!out) fail(ExitCode::resource, "cannot write {}: {}", path.string(), std::strerror(errno));
}

void check_options(const SynthOptions& options) {
  constexpr std::int64_t most_classes = 1000;
  constexpr std::int64_t largest_side = 4096;
  if (options.classes < 1 || options.classes > most_classes) {
    fail(ExitCode::usage, "classes must lie between 1 and {}, not {}", most_classes,
         options.classes);
  }
  if (options.train_images < 1 || options.val_images < 1) {
    fail(ExitCode::usage, "each class needs at least one training and one validation image");
  }
  if (std::min(options.width, options.height) < 1 ||
      std::max(options.width, options.height) > largest_side) {
    fail(ExitCode::usage, "width and height must lie between 1 and {}, not {} x {}", largest_side,
         options.width, options.height);
  }
  std::error_code ignored;
  if (fs::exists(options.output, ignored) &&
      !(fs::is_directory(options.output, ignored) && fs::is_empty(options.output, ignored))) {
    fail(ExitCode::usage, "the output {} exists already: remove it or choose another",
         options.output.string());
  }
}

}  // namespace

void synthesise(const SynthOptions& options) {
  check_options(options);
  const RandomSource source(options.seed, Purpose::synthetic);
  constexpr int quality = 92;
  const JpegEncoder encoder(quality, ChromaResolution::half);
  struct Part {
    const char* name;
    std::int64_t images;
    std::uint32_t first;  // position of its first image among the draws of a class
  };
  for (const Part& part : {Part{"train", options.train_images, 0},
                           Part{"val", options.val_images, std::uint32_t{1} << 31}}) {
    for (std::int64_t label = 0; label < options.classes; ++label) {
      const auto number = static_cast<std::uint32_t>(label);
      const fs::path folder = options.output / part.name /
                              fmt::format("{:03}-{}", label, patterns[number % patterns.size()]);
      create_folders(folder);
      for (std::int64_t i = 0; i < part.images; ++i) {
        const Draws draws(source, number, part.first + static_cast<std::uint32_t>(i));
        write_jpeg(encoder, folder / fmt::format("{:05}.jpg", i), draw(options, number, draws));
      }
    }
  }
}

}  // namespace convoy
