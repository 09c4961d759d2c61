// Measures the rounding errors of both ways of convolution on AlexNet's layers.
//
// Too slow and too wordy for every run, so it is disabled by default:
//   test_core --gtest_also_run_disabled_tests --gtest_filter='*MinimalAccuracy*'
#include <cstdio>
#include <numeric>
#include <string>

#include "tests/core/ops/conv_case.h"

namespace convoy {
namespace {

struct LayerCase {
  const char* name;
  ConvSpec spec;  // of one image
};

std::vector<LayerCase> alexnet_layers() {
  const auto inner = [](const Shape& x, std::int64_t kernels, std::int64_t kernel,
                        std::int64_t groups) {
    return ConvSpec{.x = x,
                    .kernels = kernels,
                    .kernel = kernel,
                    .pad_begin = kernel / 2,
                    .pad_end = kernel / 2,
                    .groups = groups};
  };
  return {
      {"conv1",
       {.x = {1, 227, 227, 3}, .kernels = 96, .kernel = 11, .stride = 4, .needs_dx = false}},
      {"conv2", inner({1, 27, 27, 96}, 256, 5, 2)},
      {"conv3", inner({1, 13, 13, 256}, 384, 3, 1)},
      {"conv4", inner({1, 13, 13, 384}, 384, 3, 2)},
      {"conv5", inner({1, 13, 13, 384}, 256, 3, 2)},
  };
}

struct Errors {
  double y, dx, dw;
};

Errors measure(ConvSpec spec, ConvMethod method, const ConvInputs& inputs) {
  spec.method = method;
  const ConvResults actual = run_conv(cpu::best_isa(), 2, spec, inputs);
  const ExactConv exact(spec, inputs);
  // A few thousand results of each kind; steps and sizes have no common divisor, so that all places
  // are met.
  const auto error = [&](const std::vector<float>& v, auto value, std::size_t results) {
    std::size_t step = v.size() / results + 1;
    while (std::gcd(step, v.size()) != 1) ++step;
    return relative_error(
        v, [&](std::int64_t i) { return (exact.*value)(i); }, false, step);
  };
  return {error(actual.y, &ExactConv::y, 20000),
          spec.needs_dx ? error(actual.dx, &ExactConv::dx, 20000) : 0,
          error(actual.dw, &ExactConv::dw, 4000)};
}

TEST(MinimalAccuracy, DISABLED_OfAlexNetsLayers) {
  std::printf("| layer | pass | images | minimal | direct |\n|---|---|---|---|---|\n");
  for (LayerCase layer : alexnet_layers()) {
    const auto print = [&](const char* pass, const char* images, double minimal, double direct) {
      std::printf("| %s | %s | %s | %.1e | %.1e |\n", layer.name, pass, images, minimal, direct);
    };
    ConvSpec& spec = layer.spec;
    spec.x.n = 8;
    const ConvInputs few = draw_inputs(spec, 1);
    const Errors minimal = measure(spec, ConvMethod::minimal, few);
    const Errors direct = measure(spec, ConvMethod::direct, few);
    print("forward", "8", minimal.y, direct.y);
    if (spec.needs_dx) print("dX", "8", minimal.dx, direct.dx);
    print("dW", "8", minimal.dw, direct.dw);
    EXPECT_LT(std::max({minimal.y, minimal.dx, minimal.dw}), 1e-5);

    for (const char* images : {"32", "128"}) {
      spec.x.n = std::stoi(images);
      const ConvInputs many = draw_inputs(spec, 1);
      const double minimal_dw = measure(spec, ConvMethod::minimal, many).dw;
      print("dW", images, minimal_dw, measure(spec, ConvMethod::direct, many).dw);
      EXPECT_LT(minimal_dw, 1e-5);
    }
  }
}

}  // namespace
}  // namespace convoy
