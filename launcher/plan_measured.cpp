// Both kinds of file come to the same observations.
#include "launcher/plan_measured.h"

#include <fstream>

#include "core/error.h"
#include "launcher/layer_json.h"

namespace convoy {
namespace {

using Json = nlohmann::ordered_json;

Json parse(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) fail(ExitCode::bad_data, "{} cannot be read", path.string());
  return Json::parse(in);
}

void require_same_net(const std::filesystem::path& path, const Json& there, const Json& here) {
  for (const auto& [key, value] : here.items()) {
    if (there.at(key) == value) continue;
    fail(
        ExitCode::bad_data,
        "{} was measured with another net ({}: {}, here {}); give plan the same --recipe, --config "
        "and model options as that run had",
        path.string(), key, there.at(key).dump(), value.dump());
  }
}

double median(const Json& spread) { return spread.at("median").get<double>(); }

Observation of_compare(const Json& json, const NetSpec& net, std::int64_t batch) {
  Observation seen;
  seen.batch = batch;
  seen.strategy = choose_strategy(json.at("strategy").get<std::string>(), net,
                                  json.at("ranks").get<int>(), batch);
  seen.layers = layers_from_json(json.at("layers"));
  const Json& ms = json.at("ms");
  // The rate counts what passes between steps too.
  seen.step_ms = 1000 * static_cast<double>(batch) / median(json.at("images_per_second"));
  seen.forward_ms = median(ms.at("forward"));
  seen.backward_ms = median(ms.at("backward"));
  seen.update_ms = median(ms.at("update"));
  seen.comm_exposed_ms = median(ms.at("comm_exposed"));
  return seen;
}

Observation of_bench(const Json& json, const NetSpec& net, std::int64_t batch) {
  Observation seen;
  seen.batch = batch;
  seen.strategy = choose_strategy(json.at("strategy").get<std::string>(), net,
                                  json.at("ranks").get<int>(), batch);
  seen.layers = layers_from_json(json.at("layers"));
  seen.step_ms = json.at("step_ms").get<double>();
  seen.update_ms = json.at("update_ms").get<double>();
  seen.comm_exposed_ms = json.at("comm_exposed_ms").get<double>();
  return seen;
}

}  // namespace

MeasuredFile read_measured(const std::filesystem::path& path, const NetSpec& net) {
  MeasuredFile file;
  file.path = path;
  try {
    const Json json = parse(path);
    const auto kind = json.at("kind").get<std::string>();
    require_same_net(path, json.at("net"), net_to_json(net));
    json.at("device").get_to(file.device);
    json.at("ranks").get_to(file.ranks);
    json.at("batch").get_to(file.batch);
    if (kind == "compare") {
      json.at("hosts").get_to(file.hosts);
      json.at("waits_are_apart").get_to(file.on_cpu);
      for (const Json& strategy : json.at("strategies"))
        file.strategies.push_back(of_compare(strategy, net, file.batch));
    } else if (kind == "bench") {
      json.at("copy_gbytes").get_to(file.memory_gbyte_s);
      file.on_cpu = file.memory_gbyte_s == 0;
      file.strategies.push_back(of_bench(json, net, file.batch));
    } else {
      fail(ExitCode::bad_data, "{} was written by convoy {}; plan reads those of bench and compare",
           path.string(), kind);
    }
  } catch (const nlohmann::json::exception&) {
    fail(ExitCode::bad_data, "{} is not a whole file of bench --json or compare --json",
         path.string());
  }
  return file;
}

}  // namespace convoy
