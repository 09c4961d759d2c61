// The six recipes, each complete. Only what differs from the paper's text is set.
#include "core/recipe.h"

#include <algorithm>

#include "core/error.h"

namespace convoy {
namespace {

Recipe paper() {
  Recipe recipe;
  recipe.name = "paper";
  recipe.source = "Krizhevsky, Sutskever, Hinton 2012, sections 3 to 5, as the text says";
  return recipe;
}

// Run 145 of the code that the Computer History Museum published. Its bias rates are twice the
// weights' at the start and stay there while the weights' fall; conv1 freezes at the end.
Recipe released_2012() {
  Recipe recipe = paper();
  recipe.name = "released-2012";
  recipe.source = "the 2012 code published by the Computer History Museum, run 145";
  recipe.model.input = 224;
  recipe.model.conv1_pad_end = 3;
  recipe.model.order = "2012";
  recipe.model.lrn_alpha_divided = true;
  recipe.model.spatial_norm = true;
  recipe.model.weight_std = {.01, .01, .03, .03, .03, .01, .01, .01};
  recipe.solver.bias_decay_factor = 0;
  recipe.solver.bias_lr_factor = 2;
  recipe.solver.schedule = "epochs:24=0.1,50=0.01,78=0.001";
  recipe.solver.bias_schedule = "constant";
  recipe.solver.conv1_schedule = "epochs:24=0.1,50=0.01,66=0.001,71=0";
  recipe.preprocess.noise_divisor = 1.1;
  recipe.preprocess.noise_epochs = 66;
  return recipe;
}

Recipe owt_2014() {
  Recipe recipe = paper();
  recipe.name = "owt-2014";
  recipe.source = "cuda-convnet2's one-GPU net of Krizhevsky 2014, \"One weird trick\"";
  recipe.model.towers = 1;
  recipe.model.input = 224;
  recipe.model.conv1_pad_end = 3;
  recipe.model.order = "2012";
  recipe.model.kernels = {64, 192, 384, 256, 256};
  recipe.model.lrn_alpha_divided = true;
  recipe.model.weight_std = {.01, .01, .03, .03, .03, .01, .01, .01};
  recipe.model.bias = {0, 1, 0, 1, 1, 1, 1, -7};
  recipe.solver.bias_decay_factor = 0;
  recipe.solver.bias_lr_factor = 2;
  recipe.solver.schedule = "exponential:4:0.004";
  recipe.solver.bias_schedule = "exponential:2:0.1";
  recipe.preprocess.noise_divisor = 1.1;
  return recipe;
}

Recipe caffe() {
  Recipe recipe = paper();
  recipe.name = "caffe";
  recipe.source = "Caffe's bvlc_alexnet";
  recipe.model.lrn_scope = "all";
  recipe.model.lrn_alpha_divided = true;
  recipe.model.lrn_k = 1;
  recipe.model.drop_inverted = true;
  recipe.model.weight_std = {.01, .01, .01, .01, .01, .005, .005, .01};
  recipe.model.bias = {0, .1, 0, .1, .1, .1, .1, 0};
  recipe.solver.batch = 256;
  recipe.solver.bias_lr_factor = 2;
  recipe.solver.bias_decay_factor = 0;
  recipe.solver.schedule = "steps:100000:0.1";
  recipe.preprocess.mean = "crop";
  recipe.preprocess.bgr = true;
  recipe.preprocess.colour_noise = 0;
  return recipe;
}

Recipe alexnet_pytorch() {
  Recipe recipe = paper();
  recipe.name = "alexnet-pytorch";
  recipe.source = "model.py of alexnet-pytorch";
  recipe.model.towers = 1;
  recipe.model.pool_round_up = false;
  recipe.model.lrn_alpha_divided = true;
  recipe.model.drop_inverted = true;
  recipe.model.drop_before = true;
  recipe.model.fc_uniform = true;
  recipe.solver.kind = "adam";
  recipe.solver.lr = 1e-4;
  recipe.solver.weight_decay = 0;
  recipe.solver.schedule = "epochs:30=0.1,60=0.01";
  recipe.preprocess.mean = "none";
  recipe.preprocess.unit_scale = true;
  recipe.preprocess.random_crop = false;
  recipe.preprocess.mirror = false;
  recipe.preprocess.colour_noise = 0;
  return recipe;
}

// Its author left these values in model.py as a comment: "doesn't train". The schedule is the same.
Recipe alexnet_pytorch_sgd() {
  const SolverOptions sgd = paper().solver;
  Recipe recipe = alexnet_pytorch();
  recipe.name = "alexnet-pytorch-sgd";
  recipe.source = "model.py of alexnet-pytorch with the optimiser that it has in a comment";
  recipe.solver.kind = sgd.kind;
  recipe.solver.lr = sgd.lr;
  recipe.solver.weight_decay = sgd.weight_decay;
  return recipe;
}

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{paper(), released_2012(),   owt_2014(),
                                       caffe(), alexnet_pytorch(), alexnet_pytorch_sgd()};
  return all;
}

const Recipe& find_recipe(std::string_view name) {
  const auto found = std::ranges::find(recipes(), name, &Recipe::name);
  if (found == recipes().end()) {
    std::string names;
    for (const Recipe& recipe : recipes()) names += (names.empty() ? "" : ", ") + recipe.name;
    fail(ExitCode::usage, "there is no recipe '{}'; there are {}", name, names);
  }
  return *found;
}

}  // namespace convoy
