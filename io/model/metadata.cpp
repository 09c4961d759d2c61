// Numbers are written so that they read back exactly.
#include "io/model/metadata.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/unit_scale.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::array<double, 3> mean_colour(const std::vector<float>& image) {
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < image.size(); ++i) mean[i % 3] += static_cast<double>(image[i]);
  for (double& value : mean) value /= static_cast<double>(image.size()) / 3;
  return mean;
}

Json preprocessing(const CheckpointInfo& info, const PreprocessOptions& p, const NetSpec& net,
                   TensorNames names) {
  const bool bgr =
      names == TensorNames::convoy ? p.bgr : names == TensorNames::caffe;  // tensor_places.h
  Json json{{"crop", net.input.h},
            {"stored_size", info.image_size},
            {"channels", bgr ? "BGR" : "RGB"},
            {"x", "(pixel - mean) / std, pixels 0..255"}};
  std::array<double, 3> mean{};
  std::array<double, 3> deviation{1, 1, 1};
  if (p.unit_scale) {
    for (std::size_t c = 0; c < 3; ++c) {
      mean[c] = 255 * static_cast<double>(kUnitMean[c]);
      deviation[c] = 255 * static_cast<double>(kUnitDeviation[c]);
    }
  } else if (p.mean == "channel") {
    mean = mean_colour(info.mean_image);
  } else if (needs_mean_image(p)) {
    json["mean"] = "mean_image";
  }
  if (!json.contains("mean")) json["mean_rgb"] = mean;
  json["std_rgb"] = deviation;
  return json;
}

std::vector<float> numbers(std::string_view text) {
  std::vector<float> values;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    float value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (next != end && *next != ',')) return {};
    values.push_back(value);
    at = next == end ? end : next + 1;
  }
  return values;
}

const std::string& text_in(const Metadata& metadata, const char* key) {
  static const std::string none;
  const auto found = metadata.find(key);
  return found == metadata.end() ? none : found->second;
}

CheckpointInfo parsed(const Metadata& metadata) {
  const Json own = Json::parse(text_in(metadata, "convoy"));
  const Json names = Json::parse(text_in(metadata, "classes"));
  const Json words = Json::parse(text_in(metadata, "words"));
  CheckpointInfo info;
  info.config = own.at("config").get<std::string>();
  info.step = own.at("step").get<std::int64_t>();
  info.epoch = own.at("epoch").get<std::int64_t>();
  info.fingerprint = own.at("fingerprint").get<std::string>();
  for (std::size_t i = 0; i < names.size(); ++i)
    info.classes.push_back({names.at(i).get<std::string>(), words.at(i).get<std::string>()});
  info.pca.deviations = own.at("pca_deviations").get<std::array<double, 3>>();
  info.pca.vectors = own.at("pca_vectors").get<std::array<std::array<double, 3>, 3>>();
  info.image_size = own.at("image_size").get<std::int64_t>();
  info.mean_image = numbers(text_in(metadata, "mean_image"));
  return info;
}

}  // namespace

bool needs_mean_image(const PreprocessOptions& preprocess) {
  return !preprocess.unit_scale && preprocess.mean != "none";
}

Metadata metadata_of(const CheckpointInfo& info, const PreprocessOptions& preprocess,
                     const NetSpec& net, TensorNames names) {
  Metadata metadata;
  if (names != TensorNames::convoy && names != TensorNames::caffe) metadata["format"] = "pt";
  metadata["names"] = name_of(names);
  metadata["preprocessing"] = text_of(preprocessing(info, preprocess, net, names));
  Json classes = Json::array();
  Json words = Json::array();
  for (const ClassInfo& one : info.classes) {
    classes.push_back(one.name);
    words.push_back(one.words);
  }
  metadata["classes"] = text_of(classes);
  metadata["words"] = text_of(words);
  if (!info.mean_image.empty())
    metadata["mean_image"] = fmt::format("{}", fmt::join(info.mean_image, ","));
  metadata["convoy"] = text_of({{"config", info.config},
                                {"step", info.step},
                                {"epoch", info.epoch},
                                {"fingerprint", info.fingerprint},
                                {"image_size", info.image_size},
                                {"pca_deviations", info.pca.deviations},
                                {"pca_vectors", info.pca.vectors}});
  return metadata;
}

std::optional<TensorNames> names_in(const Metadata& metadata) {
  for (const TensorNames names : {TensorNames::convoy, TensorNames::torch,
                                  TensorNames::alexnet_pytorch, TensorNames::torchvision}) {
    if (text_in(metadata, "names") == name_of(names)) return names;
  }
  return std::nullopt;
}

std::optional<CheckpointInfo> info_in(const Metadata& metadata, const std::filesystem::path& path) {
  if (!metadata.contains("convoy")) return std::nullopt;
  try {
    CheckpointInfo info = parsed(metadata);
    const std::int64_t size = info.image_size;
    const auto values = static_cast<std::int64_t>(info.mean_image.size());
    if (size >= 0 && size <= 1 << 16 && values == size * size * 3) return info;
  } catch (const Json::exception&) {
  }
  fail(ExitCode::bad_checkpoint,
       "the metadata of {} say that Convoy wrote it, but they are not as Convoy writes them",
       path.string());
}

}  // namespace convoy
