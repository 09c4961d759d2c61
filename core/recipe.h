// Recipes: named, complete sets of model, solver and input choices, each from a public source.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/options.h"

namespace convoy {

struct Recipe {
  std::string name;
  std::string source;  // one sentence: where the values come from
  ModelOptions model;
  SolverOptions solver;
  PreprocessOptions preprocess;
  std::int64_t epochs = 90;
};

// paper, released-2012, owt-2014, caffe, alexnet-pytorch, alexnet-pytorch-sgd.
[[nodiscard]] const std::vector<Recipe>& recipes();

// Throws Error(usage) naming the recipes there are.
[[nodiscard]] const Recipe& find_recipe(std::string_view name);

}  // namespace convoy
