// A plan's figures as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "dist/plan/plan.h"
#include "launcher/plan_measured.h"

namespace convoy {

// A prediction beside what was measured.
struct Checked {
  std::string file;
  Prediction predicted;
  double measured_ms = 0;

  [[nodiscard]] double error() const { return predicted.step_ms / measured_ms - 1; }
};

// Which strategy is quickest, by rate of the slower link and batch.
struct StrategyMap {
  std::vector<double> gbit;
  std::vector<std::int64_t> batches;
  std::vector<std::vector<std::string>> quickest;  // [gbit][batch]
};

struct PlanReport {
  PlanInput input;
  std::string source;  // of the layers' costs, as a sentence's part
  std::vector<std::string> names;
  std::vector<Prediction> predictions;                       // by batch, then ranks, then strategy
  std::vector<std::pair<std::string, std::string>> refused;  // "owt on 8", why
  std::vector<std::pair<int, std::vector<Lead>>> leads;      // by ranks
  StrategyMap map;
  std::vector<Checked> checked;
};

[[nodiscard]] StrategyMap strategy_map(PlanInput input, const std::vector<std::string>& names,
                                       const std::vector<std::int64_t>& batches);
[[nodiscard]] std::string plan_text(const PlanReport& report);
[[nodiscard]] nlohmann::ordered_json plan_json(const PlanReport& report);

}  // namespace convoy
