// `convoy inspect CHECKPOINT`: what a checkpoint holds, tensor by tensor.
#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "launcher/inspect.h"
#include "launcher/table.h"

namespace convoy {
namespace {

// Deviation by the two-pass formula in double: the values are all there.
struct Statistics {
  double least = 0;
  double greatest = 0;
  double mean = 0;
  double deviation = 0;
  std::int64_t not_finite = 0;
};

Statistics statistics(const std::vector<float>& values) {
  Statistics s;
  s.not_finite =
      std::count_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (values.empty()) return s;
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  s.least = static_cast<double>(*least);
  s.greatest = static_cast<double>(*greatest);
  const auto count = static_cast<double>(values.size());
  for (const float v : values) s.mean += static_cast<double>(v) / count;
  double squares = 0;
  for (const float v : values) squares += std::pow(static_cast<double>(v) - s.mean, 2);
  s.deviation = std::sqrt(squares / count);
  return s;
}

}  // namespace

std::string inspect_checkpoint(const std::filesystem::path& path,
                               const CheckpointReader& checkpoint) {
  const CheckpointInfo& info = checkpoint.info();
  TextTable table(
      {{"tensor", Align::left}, {"shape"}, {"values"}, {"min"}, {"max"}, {"mean"}, {"std"}});
  std::int64_t total = 0;    // parameters
  std::int64_t moments = 0;  // what the solver keeps of them
  std::int64_t not_finite = 0;
  std::vector<float> values;
  for (const CheckpointReader::Entry& entry : checkpoint.entries()) {
    values.resize(static_cast<std::size_t>(entry.shape.count()));
    checkpoint.read(entry.layer, entry.kind, entry.shape, {0, entry.shape.n}, values.data());
    const Statistics s = statistics(values);
    const bool bias = entry.kind.starts_with("bias");
    const bool parameter = entry.kind == "bias" || entry.kind == "weight";
    table.row({entry.layer + "." + entry.kind,
               bias ? fmt::format("{}", entry.shape.n)
                    : fmt::format("{}x{}x{}x{}", entry.shape.n, entry.shape.h, entry.shape.w,
                                  entry.shape.c),
               thousands(entry.shape.count()), fmt::format("{:.4g}", s.least),
               fmt::format("{:.4g}", s.greatest), fmt::format("{:.4g}", s.mean),
               fmt::format("{:.4g}", s.deviation)});
    (parameter ? total : moments) += entry.shape.count();
    not_finite += s.not_finite;
  }
  std::string origin = "for evaluation only: a run cannot go on from it\n";
  if (const auto& run = info.continuation) {
    origin = fmt::format("written by strategy {} on {} rank(s), {} kernels, global batch {}\n",
                         run->strategy, run->ranks, run->made_on, run->global_batch);
  }
  table.rule();
  table.row({"parameters", "", thousands(total)});
  if (moments > 0) table.row({"momentum", "", thousands(moments)});
  const std::string warning = not_finite == 0
                                  ? ""
                                  : fmt::format("{} value{} not finite\n", thousands(not_finite),
                                                not_finite == 1 ? " is" : "s are");
  return fmt::format(
      "{}: a checkpoint after step {}, {} finished epochs, {} classes\n"
      "training set {} (images of {}x{} pixels)\n{}\n{}{}",
      path.string(), thousands(info.step), info.epoch, thousands(std::ssize(info.classes)),
      info.fingerprint, info.image_size, info.image_size, origin, table.text(), warning);
}

}  // namespace convoy
