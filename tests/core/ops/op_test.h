// What the tests of operations share: a device per instruction set, tensors, and comparisons with
// double precision.
#pragma once

#include <cmath>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/device_cpu.h"
#include "core/device_cuda.h"
#include "core/ops/operations.h"
#include "core/random.h"

namespace convoy {

// One way of running the operations; tests of this folder run on each that is present.
struct DeviceCase {
  std::string name;
  std::function<std::unique_ptr<Device>(int threads)> make;
};

inline std::vector<DeviceCase> cpu_cases() {
  std::vector<DeviceCase> cases;
  for (const auto& [name, isa] :
       {std::pair{"baseline", cpu::Isa::baseline}, std::pair{"avx2", cpu::Isa::avx2},
        std::pair{"avx512", cpu::Isa::avx512}})
    if (isa <= cpu::best_isa())
      cases.push_back(
          {name, [isa = isa](int threads) { return std::make_unique<CpuDevice>(threads, isa); }});
  return cases;
}

// A GPU of that precision, as a test's device.
inline std::unique_ptr<Device> make_gpu(const std::string& precision) {
  return make_device({.kind = "cuda", .precision = precision}, {});
}

// In a build that emulates CUDA there is always a GPU.
inline std::vector<DeviceCase> device_cases() {
  std::vector<DeviceCase> cases = cpu_cases();
  if (find_gpus().count > 0) cases.push_back({"cuda_fp32", [](int) { return make_gpu("fp32"); }});
  return cases;
}

class OpTest : public testing::TestWithParam<DeviceCase> {
 protected:
  OpTest() : device_(GetParam().make(2)), stream_(device_->make_stream()) {}

  Operations& ops() { return device_->operations(); }

  OpContext context(std::size_t workspace_bytes = 0) {
    if (workspace_.bytes() < workspace_bytes) workspace_ = device_->allocate(workspace_bytes);
    return {*stream_, workspace_.data()};
  }

  Tensor upload(const Shape& shape, const std::vector<float>& values) {
    return upload_as(shape, values, DType::f32);
  }

  template <typename T>
  Tensor upload_as(const Shape& shape, const std::vector<T>& values, DType type) {
    buffers_.push_back(device_->allocate(values.size() * sizeof(T)));
    device_->copy_to_device(buffers_.back().data(), values.data(), values.size() * sizeof(T),
                            *stream_);
    return {buffers_.back().data(), shape, type};
  }

  const CropRecord* upload_records(const std::vector<CropRecord>& records) {
    const auto bytes = records.size() * sizeof(CropRecord);
    buffers_.push_back(device_->allocate(bytes));
    device_->copy_to_device(buffers_.back().data(), records.data(), bytes, *stream_);
    return static_cast<const CropRecord*>(buffers_.back().data());
  }

  // Not zero: operations that overwrite must not rely on it.
  Tensor unset(const Shape& shape) {
    return upload(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 7.5f));
  }

  // Uniform in (-1, 1), different in each call.
  std::vector<float> random(const Shape& shape) {
    const RandomSource source(2012, Purpose::synthetic);
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    ++draws_;
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(
          2 * uniform(source.block(draws_, 0, static_cast<std::uint32_t>(i))[0]) - 1);
    return values;
  }

  std::vector<float> download(const Tensor& t) {
    std::vector<float> values(static_cast<std::size_t>(t.count()));
    device_->copy_to_host(values.data(), t.data, t.bytes(), *stream_);
    stream_->synchronize();
    return values;
  }

  // The first of what lies in device memory.
  template <typename T>
  T download_as(const void* data) {
    T value;
    device_->copy_to_host(&value, data, sizeof value, *stream_);
    stream_->synchronize();
    return value;
  }

  std::vector<std::uint8_t> download_bytes(const Buffer& buffer) {
    std::vector<std::uint8_t> bytes(buffer.bytes());
    device_->copy_to_host(bytes.data(), buffer.data(), bytes.size(), *stream_);
    stream_->synchronize();
    return bytes;
  }

  Device& device() { return *device_; }

 private:
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  Buffer workspace_;
  std::deque<Buffer> buffers_;
  std::uint32_t draws_ = 0;
};

using Doubles = std::vector<double>;

inline Doubles to_doubles(const std::vector<float>& v) { return {v.begin(), v.end()}; }

// Every value within `tolerance` of the largest expected one.
inline void expect_close(const std::vector<float>& actual, const Doubles& expected,
                         double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  double largest = 1e-30;
  for (double e : expected) largest = std::max(largest, std::abs(e));
  for (std::size_t i = 0; i < actual.size(); ++i)
    ASSERT_NEAR(actual[i], expected[i], tolerance * largest) << "at " << i;
}

// The gradient of sum(dy * f(x)) by central differences.
inline Doubles numerical_gradient(const std::function<Doubles(const Doubles&)>& f, Doubles x,
                                  const std::vector<float>& dy, double step = 1e-4) {
  const auto objective = [&] {
    const Doubles y = f(x);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * dy[i];
    return sum;
  };
  Doubles gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double at = x[i];
    x[i] = at + step;
    const double above = objective();
    x[i] = at - step;
    gradient[i] = (above - objective()) / (2 * step);
    x[i] = at;
  }
  return gradient;
}

#define CONVOY_OP_TEST_ON(Suite, cases)                                \
  class Suite : public OpTest {};                                      \
  INSTANTIATE_TEST_SUITE_P(Devices, Suite, testing::ValuesIn(cases()), \
                           [](const auto& test) { return test.param.name; })

#define CONVOY_OP_TEST(Suite) CONVOY_OP_TEST_ON(Suite, device_cases)
#define CONVOY_CPU_OP_TEST(Suite) CONVOY_OP_TEST_ON(Suite, cpu_cases)

}  // namespace convoy
