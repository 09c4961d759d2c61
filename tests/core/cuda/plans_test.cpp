// cuDNN has plans for all of AlexNet's convolutions; asked without a GPU, for described ones.
#include <gtest/gtest.h>

#include "core/cuda/conv_pass.h"

namespace convoy {
namespace {

struct Layer {
  const char* name;
  std::int64_t side, channels, kernels, kernel, pad, groups;
};

// The net's convolutions, then those of one tower alone; conv1 on blocks of pixels.
constexpr Layer kLayers[] = {{"conv1", 57, 48, 96, 3, 0, 1},
                             {"conv2", 27, 96, 256, 5, 2, 2},
                             {"conv3", 13, 256, 384, 3, 1, 1},
                             {"conv4", 13, 384, 384, 3, 1, 2},
                             {"conv5", 13, 384, 256, 3, 1, 2},
                             {"conv1 of a tower", 57, 48, 48, 3, 0, 1},
                             {"conv2 of a tower", 27, 48, 128, 5, 2, 1},
                             {"conv3 of a tower", 13, 256, 192, 3, 1, 1},
                             {"conv4 of a tower", 13, 192, 192, 3, 1, 1},
                             {"conv5 of a tower", 13, 192, 128, 3, 1, 1}};

std::string gpu(int version, int processors, int shared_memory, const char* name) {
  return R"({"cudaDeviceId":0,"driverVer":13000,"totalGlobalMem":85000000000,)"
         R"("maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],)"
         R"("regsPerBlock":65536,"warpSize":32,"maxSharedMemoryPerBlock":49152,)"
         R"("reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":32,)"
         R"("maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,)"
         R"("supportCoopLaunch":1,"smClockRateKHz":1500000,"memClockRateKHz":2000000,)"
         R"("l2CacheSize":41943040,"deviceVer":)" +
         std::to_string(version) + R"(,"multiProcessorCount":)" + std::to_string(processors) +
         R"(,"maxSharedMemoryPerBlockOptin":)" + std::to_string(shared_memory) +
         R"(,"deviceName":")" + name + "\"}";
}

ConvPass pass_of(const Layer& layer, ConvPass::Kind kind, Precision precision,
                 std::int64_t images) {
  const std::int64_t side = layer.side + 2 * layer.pad - layer.kernel + 1;
  ConvPass pass{.kind = kind,
                .x = {images, layer.side, layer.side, layer.channels},
                .y = {images, side, side, layer.kernels},
                .kernel = layer.kernel,
                .pad_begin = layer.pad,
                .pad_end = layer.pad,
                .groups = layer.groups,
                .x_pixel = layer.channels,
                .y_pixel = layer.kernels,
                .type = precision == Precision::bf16 ? DType::bf16 : DType::f32,
                .precision = precision};
  pass.relu = kind == ConvPass::Kind::forward;
  return pass;
}

class Plans : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Gpus, Plans,
                         testing::Values(gpu(900, 132, 232448, "NVIDIA H100 80GB HBM3"),
                                         gpu(800, 108, 166912, "NVIDIA A100-SXM4-80GB")),
                         [](const auto& test) { return test.index == 0 ? "H100" : "A100"; });

TEST_P(Plans, ExistForEveryConvolution) {
  Cudnn cudnn(GetParam());
  const PlanLimits limits{.workspace = 1000000000, .deterministic = true, .count = 2};
  for (const Layer& layer : kLayers)
    for (const auto kind : {ConvPass::Kind::forward, ConvPass::Kind::data, ConvPass::Kind::weights})
      for (const auto precision : {Precision::fp32, Precision::tf32, Precision::bf16})
        for (const std::int64_t images : {16, 128, 1024}) {
          ConvPass pass = pass_of(layer, kind, precision, images);
          auto plans = make_plans(cudnn, pass, limits);
          if (plans.empty() && kind == ConvPass::Kind::weights) {
            pass.gradient_type = pass.type;
            plans = make_plans(cudnn, pass, limits);
          }
          ASSERT_FALSE(plans.empty()) << layer.name << ", " << pass.text();
          EXPECT_LE(plans[0]->workspace_bytes(), limits.workspace) << pass.text();
        }
}

TEST_P(Plans, AreMadeAgainFromTheirNames) {
  Cudnn cudnn(GetParam());
  const PlanLimits limits{.workspace = 1000000000, .deterministic = true, .count = 16};
  const ConvPass pass = pass_of(kLayers[2], ConvPass::Kind::forward, Precision::bf16, 128);
  const auto plans = make_plans(cudnn, pass, limits);
  ASSERT_GE(plans.size(), 2u);
  for (const auto& plan : plans) {
    const auto again = make_plan(cudnn, pass, limits, plan->name());
    ASSERT_NE(again, nullptr) << plan->name();
    EXPECT_EQ(again->name(), plan->name());
    EXPECT_EQ(again->workspace_bytes(), plan->workspace_bytes()) << plan->name();
  }
  for (const char* name : {"", "eng", "eng99999", "eng0 k2", "eng0 k9999=1", "apart"})
    EXPECT_EQ(make_plan(cudnn, pass, limits, name), nullptr) << name;
}

TEST_P(Plans, KeepToTheirLimits) {
  Cudnn cudnn(GetParam());
  const ConvPass pass = pass_of(kLayers[1], ConvPass::Kind::forward, Precision::tf32, 128);
  const auto all = make_plans(cudnn, pass, {.workspace = 1000000000, .count = 16});
  const auto small = make_plans(cudnn, pass, {.workspace = 100000, .count = 16});
  EXPECT_LT(small.size(), all.size());
  for (const auto& plan : small) EXPECT_LE(plan->workspace_bytes(), 100000u);
  EXPECT_LE(make_plans(cudnn, pass, {.workspace = 1000000000, .count = 1}).size(), 1u);
}

}  // namespace
}  // namespace convoy
