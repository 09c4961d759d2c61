// Prints the reader's rates and its slowest part.
#include "launcher/loader_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/table.h"

namespace convoy {
namespace {

std::string whole(double value) { return fmt::format("{:.0f}", value); }

std::string stage_table(const LoaderResult& loader) {
  TextTable table({{"part", Align::left}, {"images/s"}, {"GB/s"}, {"when", Align::left}});
  for (const LoaderStage& stage : loader.stages) {
    const bool known = stage.images_per_second > 0;
    table.row({stage.name, known ? whole(stage.images_per_second) : "unknown",
               known ? fmt::format("{:.2f}", stage.gbytes_per_second) : "",
               stage.every_image ? "every crop" : "first read of an image"});
  }
  return table.text();
}

std::string rate_table(const LoaderResult& loader) {
  TextTable table({{"reader threads"}, {"crops/s"}, {"GB/s"}, {"copy GB/s"}, {"of copy"}});
  for (const LoaderRate& rate : loader.rates) {
    table.row(
        {fmt::format("{}", rate.threads), whole(rate.crops_per_second),
         fmt::format("{:.2f}", rate.gbytes_per_second),
         fmt::format("{:.2f}", rate.copy_gbytes_per_second),
         fmt::format("{:.0f} %", 100 * rate.gbytes_per_second / rate.copy_gbytes_per_second)});
  }
  return table.text();
}

// Of the parts that every image goes through, the one that takes longest.
const LoaderStage& slowest(const LoaderResult& loader) {
  const auto slower = [](const LoaderStage& a, const LoaderStage& b) {
    if (a.every_image != b.every_image) return a.every_image;
    return a.images_per_second < b.images_per_second;
  };
  return *std::ranges::min_element(loader.stages, slower);
}

std::string verdict(const LoaderResult& loader, double needed) {
  const LoaderStage& part = slowest(loader);
  std::string text = fmt::format(
      "With {} thread{} the reader delivers {:.0f} crops/s from the page cache; of its parts, {} "
      "takes longest.",
      loader.threads, loader.threads == 1 ? "" : "s", loader.crops_per_second, part.name);
  if (needed > 0) {
    text += loader.crops_per_second >= needed
                ? fmt::format(" A rank trains on {:.0f} images/s: the reader keeps up.", needed)
                : fmt::format(
                      " A rank trains on {:.0f} images/s: the reader holds it up, by {}; more "
                      "--data.threads may help.",
                      needed, part.name);
  }
  const auto disk = std::ranges::find(loader.stages, "disk", &LoaderStage::name);
  const double compared = needed > 0 ? needed : loader.crops_per_second;
  if (disk->images_per_second > 0 && disk->images_per_second < compared) {
    text += fmt::format(
        " Images that are not in the page cache come at {:.0f} a second: until they are, the disk "
        "holds the {} up.",
        disk->images_per_second, needed > 0 ? "training" : "reader");
  }
  return text + '\n';
}

}  // namespace

std::string loader_report(const LoaderResult& loader, double needed) {
  return fmt::format("{} images, each part of reading alone, by {} thread{}:\n\n{}\n{}\n{}",
                     loader.encoding, loader.threads, loader.threads == 1 ? "" : "s",
                     stage_table(loader), rate_table(loader),
                     wrapped(verdict(loader, needed), 0, 100));
}

nlohmann::ordered_json loader_json(const LoaderResult& loader) {
  nlohmann::ordered_json json{{"encoding", loader.encoding},
                              {"threads", loader.threads},
                              {"crops_per_second", loader.crops_per_second},
                              {"parts", nlohmann::ordered_json::array()},
                              {"rates", nlohmann::ordered_json::array()}};
  for (const LoaderStage& stage : loader.stages) {
    json["parts"].push_back({{"part", stage.name},
                             {"images_per_second", stage.images_per_second},
                             {"gbytes_per_second", stage.gbytes_per_second},
                             {"every_image", stage.every_image}});
  }
  for (const LoaderRate& rate : loader.rates) {
    json["rates"].push_back({{"threads", rate.threads},
                             {"crops_per_second", rate.crops_per_second},
                             {"gbytes_per_second", rate.gbytes_per_second},
                             {"copy_gbytes_per_second", rate.copy_gbytes_per_second}});
  }
  return json;
}

}  // namespace convoy
