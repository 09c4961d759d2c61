// `convoy inspect DATASET`: what a packed dataset holds.
#include <cstddef>

#include <fmt/format.h>

#include "launcher/inspect.h"
#include "launcher/table.h"

namespace convoy {
namespace {

constexpr std::size_t kClassesAtEachEnd = 5;

std::string class_table(const Dataset& dataset) {
  TextTable table({{"label"}, {"class", Align::left}, {"words", Align::left}, {"images"}});
  const std::vector<ClassInfo>& classes = dataset.classes();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes.size() > 2 * kClassesAtEachEnd + 1 && i == kClassesAtEachEnd) {
      table.row({"...", "...", "", "..."});
      i = classes.size() - kClassesAtEachEnd;
    }
    table.row({fmt::format("{}", i), classes[i].name, classes[i].words,
               thousands(dataset.class_counts()[i])});
  }
  return table.text();
}

}  // namespace

std::string inspect_dataset(const Dataset& dataset) {
  const auto mean = dataset.mean_rgb();
  const ColourPca& pca = dataset.pca();
  TextTable components({{"principal component", Align::left}, {"deviation"}, {"R"}, {"G"}, {"B"}});
  for (std::size_t k = 0; k < pca.deviations.size(); ++k) {
    const auto& vector = pca.vectors[k];
    components.row({fmt::format("{}", k + 1), fmt::format("{:.3f}", pca.deviations[k]),
                    fmt::format("{:.4f}", vector[0]), fmt::format("{:.4f}", vector[1]),
                    fmt::format("{:.4f}", vector[2])});
  }
  return fmt::format(
      "{}: a dataset of {} images of {}x{} pixels in {} classes, {} shard{}\n"
      "mean RGB     {:.3f}, {:.3f}, {:.3f} grey levels\n"
      "fingerprint  {}\n"
      "made by      {}\n\n{}\n{}",
      dataset.folder().string(), thousands(dataset.size()), dataset.image_size(),
      dataset.image_size(), thousands(static_cast<std::int64_t>(dataset.classes().size())),
      dataset.shards(), dataset.shards() == 1 ? "" : "s", mean[0], mean[1], mean[2],
      dataset.fingerprint(), dataset.description(), components.text(), class_table(dataset));
}

}  // namespace convoy
