// What the tests of minimal filtering share: inputs like a trained net's, runs whose memory shows
// who writes beside it, and single results in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include <gtest/gtest.h>

#include "core/device_cpu.h"
#include "core/ops/operations.h"
#include "core/random.h"
#include "tests/core/ops/in_form.h"

namespace convoy {

// Bits, not values: tells NaNs apart and equals one to itself.
inline bool same_bits(const float* a, const float* b, std::size_t count) {
  return count == 0 || std::memcmp(a, b, count * sizeof(float)) == 0;
}
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && same_bits(a.data(), b.data(), a.size());
}

// Floats between two zones that nobody may write. All begin as NaN, so that whatever is read from
// the zones, or before it was written, spoils the results.
class GuardedFloats {
 public:
  explicit GuardedFloats(std::size_t count)
      : count_(count),
        memory_(static_cast<float*>(
            ::operator new ((count + 2 * kGuard) * sizeof(float), std::align_val_t{kAlign}))) {
    std::fill_n(memory_.get(), count + 2 * kGuard, kUnset);
  }
  explicit GuardedFloats(const std::vector<float>& values) : GuardedFloats(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }

  [[nodiscard]] float* data() const { return memory_.get() + kGuard; }
  [[nodiscard]] std::vector<float> values() const { return {data(), data() + count_}; }
  void unset() { std::fill_n(data(), count_, kUnset); }
  [[nodiscard]] bool guards_untouched() const {
    const std::vector<float> zone(kGuard, kUnset);
    return same_bits(memory_.get(), zone.data(), kGuard) &&
           same_bits(data() + count_, zone.data(), kGuard);
  }

 private:
  struct Release {
    void operator()(float* p) const { ::operator delete (p, std::align_val_t{kAlign}); }
  };
  static constexpr std::size_t kAlign = 64;
  // The address sanitizer's own zones, which nobody may even read, begin where these would.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr std::size_t kGuard = 0;
#else
  static constexpr std::size_t kGuard = 64;
#endif
  static constexpr float kUnset = std::numeric_limits<float>::quiet_NaN();

  std::size_t count_;
  std::unique_ptr<float, Release> memory_;
};

// Counted draws from a fixed seed.
class Draws {
 public:
  explicit Draws(std::uint32_t sequence) : sequence_(sequence) {}

  // Any of low to high.
  std::int64_t number(std::int64_t low, std::int64_t high) {
    return low + below(words()[0], static_cast<std::uint32_t>(high - low + 1));
  }
  float normal(double mean, double deviation) {
    const PhiloxBlock drawn = words();
    return static_cast<float>(mean + deviation * normals(drawn[0], drawn[1])[0]);
  }

 private:
  PhiloxBlock words() { return source_.block(sequence_, 0, count_++); }

  RandomSource source_{2016, Purpose::synthetic};
  std::uint32_t sequence_;
  std::uint32_t count_ = 0;
};

struct ConvInputs {
  std::vector<float> x, w, b, dy;
};
struct ConvResults {
  std::vector<float> y, dx, dw, db;  // no dx in a first layer
};

// x: outputs of a ReLU, with their positive mean; w: small and around zero; dy: half of it masked.
inline ConvInputs draw_inputs(const ConvSpec& spec, std::uint32_t sequence) {
  Draws draws(sequence);
  const auto drawn = [&](std::int64_t count, const auto& draw) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = draw();
    return values;
  };
  return {
      .x = drawn(spec.x.count(), [&] { return std::max(0.0f, draws.normal(0.3, 1)); }),
      .w = drawn(spec.weights().count(), [&] { return draws.normal(0, 0.01); }),
      .b = drawn(spec.kernels, [&] { return draws.normal(0, 0.01); }),
      .dy = drawn(spec.y().count(),
                  [&] { return draws.number(0, 1) == 1 ? draws.normal(0, 1e-3) : 0.0f; }),
  };
}

// All passes of the convolution, each into memory that holds NaN, with work memory of exactly the
// size asked for, full of NaN too.
inline ConvResults run_conv(cpu::Isa isa, int threads, const ConvSpec& spec,
                            const ConvInputs& inputs) {
  CpuDevice device(threads, isa);
  const auto stream = device.make_stream();
  const auto op = device.operations().conv(spec);
  const InputForm form = op->input_form();
  const Shape x_shape = form.shape(spec.x.n);
  const Shape b_shape{spec.kernels, 1, 1, 1};
  const auto floats = [](const Shape& shape) { return static_cast<std::size_t>(shape.count()); };

  const std::vector<float> x_values = in_form(form, spec.x, inputs.x);
  const GuardedFloats x(x_values), w(inputs.w), b(inputs.b), dy(inputs.dy);
  const GuardedFloats y(floats(spec.y())), dw(floats(spec.weights())), db(floats(b_shape));
  const GuardedFloats dx(spec.needs_dx ? floats(spec.x) : 0);
  GuardedFloats work(op->workspace_bytes() / sizeof(float));
  EXPECT_EQ(op->workspace_bytes() % sizeof(float), 0u);

  const OpContext context{*stream, work.data()};
  const Tensor x_tensor{x.data(), x_shape};
  const Tensor w_tensor{w.data(), spec.weights()};
  const Tensor dy_tensor{dy.data(), spec.y()};
  op->forward(context, x_tensor, w_tensor, {b.data(), b_shape}, {y.data(), spec.y()});
  if (spec.needs_dx) {
    work.unset();
    op->backward_data(context, dy_tensor, w_tensor, {dx.data(), spec.x}, &x_tensor);
    std::vector<float> masked = dx.values();
    work.unset();
    op->backward_data(context, dy_tensor, w_tensor, {dx.data(), spec.x}, nullptr);
    std::vector<float> expected = dx.values();
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (inputs.x[i] <= 0) expected[i] = 0;
    EXPECT_TRUE(same_bits(masked, expected)) << "the mask";
  }
  work.unset();
  op->backward_weights(context, x_tensor, dy_tensor, {dw.data(), spec.weights()},
                       {db.data(), b_shape});

  for (const GuardedFloats* memory : {&x, &w, &b, &dy, &y, &dw, &db, &dx})
    EXPECT_TRUE(memory->guards_untouched());
  EXPECT_TRUE(work.guards_untouched());
  EXPECT_TRUE(same_bits(x.values(), x_values));
  EXPECT_TRUE(same_bits(w.values(), inputs.w));
  EXPECT_TRUE(same_bits(b.values(), inputs.b));
  EXPECT_TRUE(same_bits(dy.values(), inputs.dy));
  return {y.values(), dx.values(), dw.values(), db.values()};
}

// One result of a convolution by its definition; `at` counts the elements of the result's tensor.
class ExactConv {
 public:
  ExactConv(const ConvSpec& spec, const ConvInputs& inputs) : s_(spec), in_(inputs) {}

  // Before the ReLU.
  [[nodiscard]] double y(std::int64_t at) const {
    const Shape to = s_.y();
    const auto [n, p, q, k] = split(to, at);
    double sum = value(in_.b, k);
    for (std::int64_t r = 0; r < s_.kernel; ++r)
      for (std::int64_t t = 0; t < s_.kernel; ++t) {
        const std::int64_t row = p * s_.stride - s_.pad_begin + r;
        const std::int64_t column = q * s_.stride - s_.pad_begin + t;
        if (row < 0 || row >= s_.x.h || column < 0 || column >= s_.x.w) continue;
        const std::int64_t x_at =
            ((n * s_.x.h + row) * s_.x.w + column) * s_.x.c + k / kernels() * channels();
        const std::int64_t w_at = ((k * s_.kernel + r) * s_.kernel + t) * channels();
        for (std::int64_t c = 0; c < channels(); ++c)
          sum += value(in_.x, x_at + c) * value(in_.w, w_at + c);
      }
    return sum;
  }

  [[nodiscard]] double dx(std::int64_t at) const {
    const Shape from = s_.y();
    const auto [n, row, column, channel] = split(s_.x, at);
    const std::int64_t first = channel / channels() * kernels();
    double sum = 0;
    for (std::int64_t r = 0; r < s_.kernel; ++r)
      for (std::int64_t t = 0; t < s_.kernel; ++t) {
        const std::int64_t down = row + s_.pad_begin - r;
        const std::int64_t across = column + s_.pad_begin - t;
        if (down < 0 || across < 0 || down % s_.stride != 0 || across % s_.stride != 0) continue;
        const std::int64_t p = down / s_.stride;
        const std::int64_t q = across / s_.stride;
        if (p >= from.h || q >= from.w) continue;
        for (std::int64_t k = first; k < first + kernels(); ++k)
          sum += value(in_.dy, ((n * from.h + p) * from.w + q) * from.c + k) *
                 value(in_.w,
                       ((k * s_.kernel + r) * s_.kernel + t) * channels() + channel % channels());
      }
    return sum;
  }

  [[nodiscard]] double dw(std::int64_t at) const {
    const Shape from = s_.y();
    const auto [k, r, t, c] = split(s_.weights(), at);
    const std::int64_t channel = k / kernels() * channels() + c;
    double sum = 0;
    for (std::int64_t n = 0; n < from.n; ++n)
      for (std::int64_t p = 0; p < from.h; ++p) {
        const std::int64_t row = p * s_.stride - s_.pad_begin + r;
        if (row < 0 || row >= s_.x.h) continue;
        for (std::int64_t q = 0; q < from.w; ++q) {
          const std::int64_t column = q * s_.stride - s_.pad_begin + t;
          if (column < 0 || column >= s_.x.w) continue;
          sum += value(in_.dy, ((n * from.h + p) * from.w + q) * from.c + k) *
                 value(in_.x, ((n * s_.x.h + row) * s_.x.w + column) * s_.x.c + channel);
        }
      }
    return sum;
  }

  [[nodiscard]] double db(std::int64_t at) const {
    double sum = 0;
    for (std::int64_t i = at; i < s_.y().count(); i += s_.kernels) sum += value(in_.dy, i);
    return sum;
  }

 private:
  struct Place {
    std::int64_t n, h, w, c;
  };
  static Place split(const Shape& shape, std::int64_t at) {
    return {at / shape.per_row(), at / (shape.w * shape.c) % shape.h, at / shape.c % shape.w,
            at % shape.c};
  }
  static double value(const std::vector<float>& v, std::int64_t at) {
    return v[static_cast<std::size_t>(at)];
  }
  // Of a group.
  [[nodiscard]] std::int64_t kernels() const { return s_.kernels / s_.groups; }
  [[nodiscard]] std::int64_t channels() const { return s_.x.c / s_.groups; }

  const ConvSpec& s_;
  const ConvInputs& in_;
};

// |actual - exact| / |exact| in the Euclidean norm, over every `step`-th value.
template <typename Exact>
double relative_error(const std::vector<float>& actual, const Exact& exact, bool relu = false,
                      std::size_t step = 1) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < actual.size(); i += step) {
    const double e = exact(static_cast<std::int64_t>(i));
    const double d = actual[i] - (relu ? std::max(0.0, e) : e);
    difference += d * d;
    norm += e * e;  // before the ReLU, which may leave nothing of a small result
  }
  return difference == 0 ? 0 : std::sqrt(difference / norm);
}

}  // namespace convoy
