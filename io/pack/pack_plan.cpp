// Deals images to shards, and recognises the unfinished pack that it belongs to.
#include "io/pack/pack_plan.h"

#include <algorithm>
#include <system_error>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/random.h"
#include "io/files/crc32c.h"
#include "io/files/durable.h"
#include "io/files/text_file.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::int64_t shard_bytes = std::int64_t{256} << 20;
constexpr std::int64_t jpeg_saves = 4;  // so much smaller is a photograph of 256 x 256 at least
// Changes when the same options come to mean other bytes: no dataset is half of the one and half of
// the other.
constexpr const char* plan_format = "convoy-pack/2";

std::int64_t usual_shard_images(const PackOptions& options) {
  const std::int64_t image_bytes = options.size * options.size * 3;
  const std::int64_t pixels = options.encoding == "jpeg" ? jpeg_saves * shard_bytes : shard_bytes;
  return std::max<std::int64_t>(pixels / image_bytes, 1);
}

// JSON must be UTF-8, paths need not be.
std::string dumped(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

fs::path plan_path(const fs::path& output) { return output / "unfinished.json"; }

PackPlan::PackPlan(const PackOptions& options, const PackSource& source)
    : order_(permutation(RandomSource(options.seed, Purpose::pack_order), 0,
                         static_cast<std::uint32_t>(source.listing().images.size()))),
      shard_images_(
          std::min(options.shard_images > 0 ? options.shard_images : usual_shard_images(options),
                   std::max<std::int64_t>(std::ssize(order_), 1))) {
  const auto path = [](const fs::path& value) { return value.string(); };
  settings_ = {{"--input", path(options.input)},
               {"--size", fmt::format("{}", options.size)},
               {"--seed", fmt::format("{}", options.seed)},
               {"--classes", path(options.classes)},
               {"--labels", path(options.labels)},
               {"--devkit", path(options.devkit)},
               {"--data.encoding", options.encoding},
               {"--data.jpeg-quality",
                options.encoding == "jpeg" ? fmt::format("{}", options.jpeg_quality) : ""},
               {"images per shard", fmt::format("{}", shard_images_)},
               {"number of images", fmt::format("{}", order_.size())},
               {"checksum of classes, names and labels",
                fmt::format("{:08x}", source.listing().checksum())}};
  std::uint32_t crc = crc32c(plan_format, std::char_traits<char>::length(plan_format));
  for (const auto& [name, value] : settings_) {
    crc = crc32c(name.c_str(), name.size() + 1, crc);
    crc = crc32c(value.c_str(), value.size() + 1, crc);
  }
  fingerprint_ = fmt::format("{:08x}", crc);
}

std::int64_t PackPlan::shards() const { return (images() + shard_images_ - 1) / shard_images_; }

Range PackPlan::range_of(std::int64_t shard) const {
  return {shard * shard_images_, std::min((shard + 1) * shard_images_, images())};
}

std::int64_t PackPlan::count_of(std::int64_t shard) const { return range_of(shard).size(); }

std::vector<std::uint32_t> PackPlan::images_of(std::int64_t shard) const {
  const Range range = range_of(shard);
  return {order_.begin() + range.begin, order_.begin() + range.end};
}

// "--size is 32 there and 24 here"; empty where the plan there is this one.
std::string PackPlan::difference(const fs::path& path) const {
  const Json json = Json::parse(read_small_file(path, "the plan"), nullptr, false);
  const auto value = [](const Json& object, const std::string& name) {
    return object.is_object() && object.contains(name) && object[name].is_string()
               ? object[name].get<std::string>()
               : std::string();
  };
  if (value(json, "format") != plan_format) return "its plan is damaged or of another version";
  for (const auto& [name, here] : settings_) {
    // What could not be written as it is reads back as it was written.
    const std::string as_written = value(Json::parse(dumped(Json{{name, here}})), name);
    const std::string there = value(json.value("settings", Json()), name);
    if (there == as_written) continue;
    return fmt::format("{} is '{}' there and '{}' here", name, there, here);
  }
  return {};
}

void PackPlan::claim(const fs::path& output) const {
  const fs::path path = plan_path(output);
  std::error_code ignored;
  if (fs::exists(path, ignored)) {
    const std::string differs = difference(path);
    if (differs.empty()) return;
    fail(ExitCode::usage,
         "{} holds the unfinished pack of other options ({}): give the same again to finish it, or "
         "remove it",
         output.string(), differs);
  }
  Json json{{"format", plan_format}, {"settings", Json::object()}};
  for (const auto& [name, value] : settings_) json["settings"][name] = value;
  write_durably(path, dumped(json));
}

void PackPlan::check_same(const fs::path& output) const {
  const std::string differs = difference(plan_path(output));
  if (differs.empty()) return;
  fail(ExitCode::usage,
       "this rank is to pack something else into {} than rank 0 ({}): all ranks must see the same "
       "input",
       output.string(), differs);
}

}  // namespace convoy
