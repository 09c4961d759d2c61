// What a person can choose about a net, its solver and its input. Defaults are the `paper` recipe
// (Krizhevsky, Sutskever, Hinton 2012, sections 3 to 5); recipe.h has the other named sets.
// The launcher gives every field its `--section.key`, checks ranges, and documents units.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace convoy {

struct ModelOptions {
  // A described net in one line (core/net/description.h); empty: AlexNet as the fields below say.
  // With a description only `classes` counts of them, and `input` must be the description's.
  std::string net;
  std::int64_t towers = 2;   // 1 or 2: groups of conv2, conv4, conv5
  double width = 1;          // factor on all kernel and neuron counts but the classes
  std::int64_t input = 227;  // H = W of the crop
  std::int64_t classes = 0;  // 0: as many as the training set has; 1000 where there is no dataset

  std::array<std::int64_t, 5> kernels{96, 256, 384, 384, 256};  // conv1 to conv5, both towers
  std::array<std::int64_t, 2> neurons{4096, 4096};              // fc6, fc7
  std::int64_t conv1_kernel = 11;
  std::int64_t conv1_stride = 4;
  std::int64_t conv1_pad = 0;      // zeros on all four sides
  std::int64_t conv1_pad_end = 0;  // further zeros below and to the right (a 224 crop takes 3)
  bool pool_round_up = true;       // full-size nets come out the same either way

  // "relu-norm-pool" is the paper's text. "2012" is the order of the released code: conv1, norm,
  // pool, ReLU; conv5, pool, ReLU.
  std::string order = "relu-norm-pool";
  std::string lrn_scope = "tower";  // tower: windows end at a tower's edge; all: they do not
  std::int64_t lrn_size = 5;
  double lrn_alpha = 1e-4;         // as written in the recipe
  bool lrn_alpha_divided = false;  // true: the window sum is multiplied by alpha / size
  double lrn_beta = 0.75;
  double lrn_k = 2;
  bool spatial_norm = false;  // the 2012 code's extra normalisation over 5x5 pixels after norm2

  double drop = 0.5;
  bool drop_inverted = false;  // true: scale by 1/(1-drop) in training; false: by 1-drop at test
  bool drop_before = false;    // true: before fc6 and fc7; false: after them (paper)

  std::array<double, 8> weight_std{.01, .01, .01, .01, .01, .01, .01, .01};  // conv1 .. fc8
  std::array<double, 8> bias{0, 1, 0, 1, 1, 1, 1, 0};
  bool fc_uniform = false;  // true: fc weights and biases uniform in +-1/sqrt(inputs)
};

struct SolverOptions {
  std::string kind = "sgd";  // sgd, adam
  std::int64_t batch = 128;  // global, over all ranks
  double lr = 0.01;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  double bias_lr_factor = 1;
  double bias_decay_factor = 1;
  // Grammar: schedule.h. Empty: as `schedule`.
  std::string schedule = "plateau";
  std::string bias_schedule;
  std::string conv1_schedule;
  double plateau_factor = 0.1;
  std::int64_t plateau_patience = 5;  // epochs without a better validation error
  std::int64_t plateau_drops = 3;
};

struct PreprocessOptions {
  std::string mean = "centre";  // none, channel, centre, crop (prepare_input.h)
  bool unit_scale = false;  // true: (x/255 - m) / s with ImageNet's usual m and s; mean is unused
  bool bgr = false;
  bool random_crop = true;
  bool mirror = true;
  double colour_noise = 0.1;      // standard deviation of the PCA coefficients; 0: off
  double noise_divisor = 1;       // in training, while noise is on, the input is divided by this
  std::int64_t noise_epochs = 0;  // noise in the first epochs only; 0: always
};

}  // namespace convoy
