// What the CUDA device computes by libraries: bf16 against the CPU, and choices that are kept.
#include <bit>
#include <sstream>

#include <gmock/gmock.h>

#include "core/error.h"
#include "tests/core/ops/in_form.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

using Floats = std::vector<float>;

std::uint16_t to_bf16(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
float from_bf16(std::uint16_t v) { return std::bit_cast<float>(std::uint32_t{v} << 16); }

// A device with values in its memory, given and taken in fp32.
class Side {
 public:
  explicit Side(std::unique_ptr<Device> made)
      : device(std::move(made)), stream(device->make_stream()) {}

  Tensor put(const Shape& shape, const Floats& values, DType type) {
    std::vector<std::uint16_t> halves;
    for (const float v : values) halves.push_back(to_bf16(v));
    const void* const from = type == DType::bf16 ? static_cast<const void*>(halves.data())
                                                 : static_cast<const void*>(values.data());
    buffers.push_back(device->allocate(values.size() * size_of(type)));
    const Tensor tensor{buffers.back().data(), shape, type};
    device->copy_to_device(tensor.data, from, tensor.bytes(), *stream);
    return tensor;
  }
  Tensor put(const Shape& shape, const Floats& values) {
    return put(shape, values, device->activation_type());
  }
  Tensor unset(const Shape& shape, DType type) {
    return put(shape, Floats(static_cast<std::size_t>(shape.count()), 7.5f), type);
  }
  Floats get(const Tensor& tensor) {
    Floats values(static_cast<std::size_t>(tensor.count()));
    std::vector<std::uint16_t> halves(values.size());
    const bool bf16 = tensor.type == DType::bf16;
    void* const to = bf16 ? static_cast<void*>(halves.data()) : static_cast<void*>(values.data());
    device->copy_to_host(to, tensor.data, tensor.bytes(), *stream);
    stream->synchronize();
    for (std::size_t i = 0; bf16 && i < values.size(); ++i) values[i] = from_bf16(halves[i]);
    return values;
  }
  OpContext context(std::size_t bytes) {
    buffers.push_back(device->allocate(bytes));
    return {*stream, buffers.back().data()};
  }

  std::unique_ptr<Device> device;
  std::unique_ptr<Stream> stream;
  std::deque<Buffer> buffers;
};

Floats rounded_values(const Shape& shape, std::uint32_t draw) {
  const RandomSource source(2012, Purpose::synthetic);
  Floats values(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = from_bf16(to_bf16(static_cast<float>(
        2 * uniform(source.block(draw, 0, static_cast<std::uint32_t>(i))[0]) - 1)));
  return values;
}

struct Results {
  Floats y, dx, dw, db;
};

void expect_near(const Results& actual, const Results& expected) {
  const auto near = [](const Floats& a, const Floats& e) {
    double difference = 0;
    double size = 0;
    ASSERT_EQ(a.size(), e.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      difference += (double{a[i]} - e[i]) * (double{a[i]} - e[i]);
      size += double{e[i]} * e[i];
    }
    EXPECT_LE(std::sqrt(difference), 1e-2 * std::sqrt(size));
  };
  near(actual.y, expected.y);
  near(actual.dx, expected.dx);
  near(actual.dw, expected.dw);
  near(actual.db, expected.db);
}

Results run(Side side, const ConvSpec& spec) {
  const auto op = side.device->operations().conv(spec);
  const OpContext context = side.context(op->workspace_bytes());
  const DType type = side.device->activation_type();
  const Shape bs{spec.kernels, 1, 1, 1};
  const InputForm form = op->input_form();
  const Tensor x = side.put(form.shape(spec.x.n), in_form(form, spec.x, rounded_values(spec.x, 1)));
  const Tensor w = side.put(spec.weights(), rounded_values(spec.weights(), 2));
  const Tensor b = side.put(bs, rounded_values(bs, 3));
  const Tensor dy = side.put(spec.y(), rounded_values(spec.y(), 4));
  const Tensor y = side.unset(spec.y(), type), dx = side.unset(x.shape, type);
  const Tensor dw = side.unset(spec.weights(), DType::f32), db = side.unset(bs, DType::f32);
  op->forward(context, x, w, b, y);
  op->backward_weights(context, x, dy, dw, db);
  if (spec.needs_dx) op->backward_data(context, dy, w, dx, &x);
  return {side.get(y), spec.needs_dx ? side.get(dx) : Floats(), side.get(dw), side.get(db)};
}

Results run(Side side, const FullyConnectedSpec& spec) {
  const auto op = side.device->operations().fully_connected(spec);
  const OpContext context = side.context(op->workspace_bytes());
  const DType type = side.device->activation_type();
  const Shape xs{spec.images, 1, 1, spec.in}, ys{spec.images, 1, 1, spec.out};
  const Shape ws{spec.out, 1, 1, spec.in}, bs{spec.out, 1, 1, 1};
  const Tensor x = side.put(xs, rounded_values(xs, 1)), w = side.put(ws, rounded_values(ws, 2));
  const Tensor b = side.put(bs, rounded_values(bs, 3)), dy = side.put(ys, rounded_values(ys, 4));
  const Tensor y = side.unset(ys, type), dx = side.unset(xs, type);
  const Tensor dw = side.unset(ws, DType::f32), db = side.unset(bs, DType::f32);
  op->forward(context, x, w, b, y);
  op->backward_data(context, dy, w, dx, &x);
  op->backward_weights(context, x, dy, dw, db);
  return {side.get(y), side.get(dx), side.get(dw), side.get(db)};
}

class CudaLibraries : public testing::Test {
 protected:
  void SetUp() override {
    if (find_gpus().count == 0) GTEST_SKIP() << "no GPU";
  }
};

Side cpu_side() { return Side(std::make_unique<CpuDevice>(2, cpu::best_isa())); }

TEST_F(CudaLibraries, Bf16ConvolutionsAreNearTheCpus) {
  for (const ConvSpec& spec : {ConvSpec{{2, 31, 31, 3}, 16, 11, 4, 1, 2, 1, true, false},
                               ConvSpec{{3, 9, 9, 32}, 64, 5, 1, 2, 2, 2, true, true},
                               ConvSpec{{13, 5, 5, 16}, 24, 3, 1, 1, 1, 1, false, true}}) {
    SCOPED_TRACE(spec.kernel);
    expect_near(run(Side(make_gpu("bf16")), spec), run(cpu_side(), spec));
  }
}

TEST_F(CudaLibraries, Bf16FullyConnectedLayersAreNearTheCpus) {
  for (const FullyConnectedSpec& spec :
       {FullyConnectedSpec{8, 96, 40, true}, FullyConnectedSpec{16, 256, 1000, false}})
    expect_near(run(Side(make_gpu("bf16")), spec), run(cpu_side(), spec));
}

constexpr const char* kSpecs = "the choices of another device";

// Every recorded kernel changed by `change`.
template <typename F>
std::string changed(const std::string& choices, const F& change) {
  std::istringstream lines(choices);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    const auto tab = line.find('\t');
    all += line.substr(0, tab + 1) + change(line.substr(tab + 1)) + "\n";
  }
  return all;
}

TEST_F(CudaLibraries, RecordedChoicesAreTakenAndKept) {
  const ConvSpec spec{{3, 9, 9, 32}, 64, 5, 1, 2, 2, 2, true, true};
  const auto first = make_gpu("fp32");
  const auto op = first->operations().conv(spec);
  const auto layer = first->operations().fully_connected({4, 32, 16, true});
  std::string choices = first->choices().text();
  EXPECT_NE(choices, "");
  std::string implementation = op->implementation();
  if (first->description().find("emulated") != std::string::npos) {
    // Whichever plan was the quickest: a recorded one is taken whatever its time.
    for (const char* kernel : {"eng0", "split:eng1 k2=1"}) {
      const auto recorded = changed(choices, [&](const std::string& was) {
        return was.find("eng") == std::string::npos ? was : kernel;
      });
      Side side(make_gpu("fp32"));
      side.device->choices().add(recorded, kSpecs);
      EXPECT_THAT(side.device->operations().conv(spec)->implementation(),
                  testing::HasSubstr(std::string("forward ") + kernel + ","));
      expect_near(run(std::move(side), spec), run(cpu_side(), spec));
    }
  }
  const auto second = make_gpu("fp32");
  second->choices().add(choices, kSpecs);
  EXPECT_EQ(second->operations().conv(spec)->implementation(), implementation);
  second->operations().fully_connected({4, 32, 16, true});
  EXPECT_EQ(second->choices().text(), choices);
}

TEST_F(CudaLibraries, RecordedChoicesThatCannotBeMadeAreRefused) {
  const ConvSpec first_layer{{2, 9, 9, 3}, 24, 3, 2, 0, 0, 1, true, false};
  const ConvSpec spec{{2, 5, 5, 16}, 24, 3, 1, 1, 1, 1, true, true};
  const auto first = make_gpu("fp32");
  first->operations().conv(first_layer);
  first->operations().conv(spec);
  first->operations().fully_connected({4, 32, 16, true});
  const auto second = make_gpu("fp32");
  second->choices().add(
      changed(first->choices().text(), [](const std::string&) { return "eng9999 k1=1"; }), kSpecs);
  EXPECT_THROW(second->operations().conv(first_layer), Error);
  EXPECT_THROW(second->operations().conv(spec), Error);
  EXPECT_THROW(second->operations().fully_connected({4, 32, 16, true}), Error);
}

TEST_F(CudaLibraries, MinimalFilteringIsRefused) {
  ConvSpec spec{{2, 5, 5, 16}, 24, 3, 1, 1, 1, 1, true, true};
  spec.method = ConvMethod::minimal;
  EXPECT_THROW(make_gpu("fp32")->operations().conv(spec), Error);
}

TEST_F(CudaLibraries, TellOfAGradientOnce) {
  struct Sink : GradientSink {
    [[nodiscard]] bool stores() const override { return true; }
    void expect(const GradientBlock&) override {}
    void finished(const GradientBlock& block, const float* values, std::int64_t) override {
      EXPECT_EQ(values, block.first);
      EXPECT_EQ(block.rows, 1);
      first = block.first;
      count += block.count;
    }
    const float* first = nullptr;
    std::int64_t count = 0;
  } sink;
  Side side(make_gpu("fp32"));
  const auto op = side.device->operations().fully_connected({4, 32, 16, true});
  const Tensor x = side.put({4, 1, 1, 32}, Floats(128)), dy = side.put({4, 1, 1, 16}, Floats(64));
  const Tensor dw = side.put({16, 1, 1, 32}, Floats(512)), db = side.put({16, 1, 1, 1}, Floats(16));
  op->backward_weights(side.context(op->workspace_bytes()), x, dy, dw, db, &sink);
  EXPECT_EQ(sink.first, dw.f32());
  EXPECT_EQ(sink.count, 512);
}

}  // namespace
}  // namespace convoy
