// Both directions, field by field.
#include "launcher/layer_json.h"

namespace convoy {

nlohmann::ordered_json layers_to_json(const std::vector<LayerTime>& layers) {
  auto json = nlohmann::ordered_json::array();
  for (const LayerTime& layer : layers) {
    json.push_back({{"layer", layer.layer},
                    {"implementation", layer.implementation},
                    {"forward_ms", layer.forward_ms},
                    {"backward_ms", layer.backward_ms},
                    {"forward_gflop", layer.forward_gflop},
                    {"backward_gflop", layer.backward_gflop},
                    {"direct_gflop", layer.direct_gflop},
                    {"forward_gbyte", layer.forward_gbyte},
                    {"backward_gbyte", layer.backward_gbyte},
                    {"exchange_bytes", layer.exchange_bytes}});
  }
  return json;
}

std::vector<LayerTime> layers_from_json(const nlohmann::ordered_json& json) {
  std::vector<LayerTime> layers;
  for (const auto& line : json) {
    LayerTime layer;
    line.at("layer").get_to(layer.layer);
    line.at("implementation").get_to(layer.implementation);
    line.at("forward_ms").get_to(layer.forward_ms);
    line.at("backward_ms").get_to(layer.backward_ms);
    line.at("forward_gflop").get_to(layer.forward_gflop);
    line.at("backward_gflop").get_to(layer.backward_gflop);
    line.at("direct_gflop").get_to(layer.direct_gflop);
    line.at("forward_gbyte").get_to(layer.forward_gbyte);
    line.at("backward_gbyte").get_to(layer.backward_gbyte);
    line.at("exchange_bytes").get_to(layer.exchange_bytes);
    layers.push_back(layer);
  }
  return layers;
}

nlohmann::ordered_json net_to_json(const NetSpec& net) {
  return {{"parameters", net.parameters()},
          {"multiply_adds", net.multiply_adds()},
          {"towers", net.towers},
          {"input", net.input.h},
          {"classes", net.classes}};
}

}  // namespace convoy
