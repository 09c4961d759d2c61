// Which strategy won a comparison, and why: sentences made from the measured split of a step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dist/measure/compare.h"

namespace convoy {

// The batch at which two strategies' steps would take equally long, if computing and exchanging
// activations grow with the batch, and gradients take the same time whatever it is. Nothing where
// one stays ahead.
[[nodiscard]] std::optional<double> level_batch(const StrategyResult& a, const StrategyResult& b,
                                                std::int64_t batch);

// One sentence each: the winner with its lead and why, and where the runner-up would draw level.
[[nodiscard]] std::vector<std::string> verdict(const CompareResult& result);

// "the bits of single's", "within 3.1e-07"
[[nodiscard]] std::string agreement_text(const StrategyResult& result,
                                         const StrategyResult& reference);

}  // namespace convoy
