// Operations in bf16 against the CPU's in fp32, both given values that bf16 holds; and sums of
// rows.
#include <bit>
#include <optional>

#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

constexpr double kRounding = 0x1p-8;  // of the largest value: half a unit of bf16's last place

std::uint16_t rounded(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
float widened(std::uint16_t v) { return std::bit_cast<float>(static_cast<std::uint32_t>(v) << 16); }

// A device and what a test has in its memory; values are rounded on their way to bf16.
class Side {
 public:
  Side(std::unique_ptr<Device> device, DType type)
      : device_(std::move(device)), stream_(device_->make_stream()), type_(type) {}

  Operations& ops() { return device_->operations(); }
  Device& device() { return *device_; }
  Stream& stream() { return *stream_; }
  DType type() const { return type_; }

  OpContext context(std::size_t bytes = 0) { return {*stream_, memory(bytes + 16)}; }
  void* memory(std::size_t bytes) {
    buffers_.push_back(device_->allocate(bytes));
    return buffers_.back().data();
  }
  Tensor upload(const Shape& shape, const std::vector<float>& values) {
    return type_ == DType::bf16 ? upload_bf16(shape, values) : upload_raw(shape, values, type_);
  }
  Tensor upload_bf16(const Shape& shape, const std::vector<float>& values) {
    std::vector<std::uint16_t> halves;
    for (float v : values) halves.push_back(rounded(v));
    return upload_raw(shape, halves, DType::bf16);
  }
  template <typename T>
  Tensor upload_raw(const Shape& shape, const std::vector<T>& values, DType type) {
    void* const data = memory(values.size() * sizeof(T));
    device_->copy_to_device(data, values.data(), values.size() * sizeof(T), *stream_);
    stream_->synchronize();
    return {data, shape, type};
  }
  Tensor unset(const Shape& shape) {
    return upload(shape, std::vector<float>(static_cast<std::size_t>(shape.count()), 7.5f));
  }
  std::vector<float> download(const Tensor& t) {
    const auto count = static_cast<std::size_t>(t.count());
    std::vector<float> values(count);
    std::vector<std::uint16_t> halves(count);
    void* const to = t.type == DType::bf16 ? static_cast<void*>(halves.data()) : values.data();
    device_->copy_to_host(to, t.data, t.bytes(), *stream_);
    stream_->synchronize();
    if (t.type == DType::bf16)
      for (std::size_t i = 0; i < count; ++i) values[i] = widened(halves[i]);
    return values;
  }

 private:
  std::unique_ptr<Device> device_;
  std::unique_ptr<Stream> stream_;
  DType type_;
  std::deque<Buffer> buffers_;
};

class Bf16 : public testing::Test {
 protected:
  Bf16() {
    if (find_gpus().count > 0) gpu_.emplace(make_gpu("bf16"), DType::bf16);
  }
  void SetUp() override {
    if (!gpu_) GTEST_SKIP() << "needs a GPU";
  }

  // Uniform in (-1, 1), of values that bf16 holds.
  std::vector<float> random(const Shape& shape) {
    const RandomSource source(2013, Purpose::synthetic);
    std::vector<float> values(static_cast<std::size_t>(shape.count()));
    ++draws_;
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = widened(rounded(static_cast<float>(
          2 * uniform(source.block(draws_, 0, static_cast<std::uint32_t>(i))[0]) - 1)));
    return values;
  }

  // What body(side) returns is the same on both, up to rounding to bf16.
  template <typename Body>
  void compare(const Body& body, double tolerance = kRounding) {
    const std::vector<float> expected = body(cpu_);
    expect_close(body(*gpu_), to_doubles(expected), tolerance);
  }

  // One thread: the thread sanitizer does not understand teams.
  Side cpu_{std::make_unique<CpuDevice>(1, cpu::best_isa()), DType::f32};
  std::optional<Side> gpu_;
  std::uint32_t draws_ = 0;
};

// Channels that make whole packs, and some that do not.
const std::vector<Shape> kShapes{{2, 7, 6, 32}, {3, 5, 5, 11}};

TEST_F(Bf16, Relu) {
  for (const Shape& shape : kShapes) {
    const auto x = random(shape), dy = random(shape);
    for (const bool gradient : {false, true})
      compare(
          [&](Side& s) {
            const Tensor y = s.upload(shape, x), d = s.upload(shape, dy);
            s.ops().relu()->forward(s.context(), y);
            s.ops().relu()->backward(s.context(), y, d);
            return s.download(gradient ? d : y);
          },
          0);
  }
}

TEST_F(Bf16, Add) {
  for (const Shape& shape : kShapes) {
    const auto x = random(shape), y = random(shape);
    compare([&](Side& s) {
      const Tensor sum = s.upload(shape, y);
      s.ops().add()->apply(s.context(), s.upload(shape, x), sum);
      return s.download(sum);
    });
  }
}

TEST_F(Bf16, ConvertRoundsToNearest) {
  for (const std::int64_t count : {1, 8, 1027})
    for (const std::int64_t skipped : {0, 1}) {  // memory that is not aligned
      const Shape shape{1, 1, 1, count + skipped};
      std::vector<float> x;
      for (float v : random(shape)) x.push_back(v * 1.0009f);
      x.back() = 1.00390625f;  // half way, to the even 1
      const Tensor from = gpu_->upload_raw(shape, x, DType::f32);
      const Tensor to = gpu_->unset(shape), back = gpu_->upload_raw(shape, x, DType::f32);
      const Shape part{1, 1, 1, count};
      const Tensor narrow{to.u8() + 2 * skipped, part, DType::bf16};
      const Tensor wide{back.f32() + skipped, part, DType::f32};
      const auto op = gpu_->ops().convert();
      op->apply(gpu_->context(), {from.f32() + skipped, part, DType::f32}, narrow);
      op->apply(gpu_->context(), narrow, wide);
      std::vector<float> expected;
      for (std::size_t i = static_cast<std::size_t>(skipped); i < x.size(); ++i)
        expected.push_back(widened(rounded(x[i])));
      EXPECT_EQ(gpu_->download(narrow), expected);
      EXPECT_EQ(gpu_->download(wide), expected);
      EXPECT_EQ(gpu_->download(narrow).back(), 1.0f);
    }
}

TEST_F(Bf16, Lrn) {
  for (const LrnSpec& spec : {LrnSpec{{2, 3, 3, 96}, 48, 5, 0.3f, 0.75f, 2.0f},
                              LrnSpec{{2, 2, 3, 22}, 11, 5, 0.5f, 0.75f, 1.0f},
                              LrnSpec{{1, 2, 2, 32}, 16, 9, 0.2f, 0.6f, 1.5f}}) {
    const auto x = random(spec.x), dy = random(spec.x);
    compare([&](Side& s) {
      const Tensor y = s.unset(spec.x);
      s.ops().lrn(spec)->forward(s.context(), s.upload(spec.x, x), y);
      return s.download(y);
    });
    compare([&](Side& s) {
      const Tensor dx = s.upload(spec.x, dy);  // in place
      s.ops().lrn(spec)->backward(s.context(), s.upload(spec.x, x), dx, dx);
      return s.download(dx);
    });
  }
}

TEST_F(Bf16, SpatialNorm) {
  for (const Shape& shape : kShapes) {
    const SpatialNormSpec spec{shape, 5, 0.2f, 0.75f, 1.0f};
    const auto x = random(shape), dy = random(shape);
    for (const bool gradient : {false, true})
      compare([&](Side& s) {
        const auto op = s.ops().spatial_norm(spec);
        const auto context = s.context(op->workspace_bytes());
        const Tensor xt = s.upload(shape, x), y = s.unset(shape), dx = s.unset(shape);
        op->forward(context, xt, y);
        op->backward(context, xt, s.upload(shape, dy), dx);
        return s.download(gradient ? dx : y);
      });
  }
}

TEST_F(Bf16, Pool) {
  for (const Shape& shape : kShapes)
    for (const bool mask : {false, true}) {
      const PoolSpec spec{shape, 3, 2, true, mask};
      const auto x = random(shape), dy = random(spec.y());
      for (const bool gradient : {false, true})
        compare(
            [&](Side& s) {
              const auto op = s.ops().pool(spec);
              void* const state = s.memory(op->state_bytes());
              const Tensor y = s.unset(spec.y()), dx = s.unset(shape);
              op->forward(s.context(), s.upload(shape, x), y, state);
              op->backward(s.context(), y, s.upload(spec.y(), dy), state, dx);
              return s.download(gradient ? dx : y);
            },
            gradient ? kRounding : 0);
    }
}

// Pooling chooses among values that were not rounded to bf16, as the CPU's does.
TEST_F(Bf16, LrnPool) {
  for (const LrnPoolSpec& spec :
       {LrnPoolSpec{{{2, 7, 7, 32}, 16, 5, 0.5f, 0.75f, 1.0f}, 3, 2, false, false},
        LrnPoolSpec{{{2, 8, 6, 96}, 48, 5, 0.5f, 0.75f, 2.0f}, 3, 2, true, true},
        LrnPoolSpec{{{2, 6, 9, 22}, 11, 5, 0.5f, 0.75f, 2.0f}, 3, 2, true, true},
        LrnPoolSpec{{{1, 8, 5, 32}, 16, 3, 0.3f, 0.6f, 2.0f}, 2, 2, true, false}}) {
    const Shape ys = spec.pool().y();
    const auto x = random(spec.norm.x), dy = random(ys);
    for (const bool gradient : {false, true})
      compare([&](Side& s) {
        const auto op = s.ops().lrn_pool(spec);
        const auto context = s.context(op->workspace_bytes());
        void* const state = s.memory(op->state_bytes());
        const Tensor xt = s.upload(spec.norm.x, x), y = s.unset(ys), dx = s.unset(spec.norm.x);
        op->forward(context, xt, y, state);
        op->backward(context, xt, s.upload(ys, dy), state, dx);
        return s.download(gradient ? dx : y);
      });
  }
}

TEST_F(Bf16, DropoutDropsTheSame) {
  for (const double drop : {0.5, 0.25})
    for (const DropoutSpec& spec :
         {DropoutSpec{{3, 1, 1, 512}, 512, 0, 1, drop}, DropoutSpec{{2, 2, 3, 24}, 64, 40, 2, drop},
          DropoutSpec{{2, 3, 1, 13}, 37, 5, 0, drop}}) {
      const auto x = random(spec.x);
      compare(
          [&](Side& s) {
            const Tensor t = s.upload(spec.x, x);
            s.ops().dropout(spec)->apply(s.context(), {2012, 7, 100}, 2.0f, t);
            s.ops().dropout(spec)->rescale(s.context(), 0.5f, t);
            return s.download(t);
          },
          0);
    }
}

TEST_F(Bf16, SoftmaxLoss) {
  const Shape shape{9, 1, 1, 37};
  const auto logits = random(shape);
  std::vector<std::int32_t> labels{3, 0, 36, -1, 5, 6, 7, 8, 9};
  const auto run = [&](Side& s, bool aliased, bool gradient) {
    const auto op = s.ops().softmax_loss(9);
    const Tensor x = s.upload(shape, logits), dx = aliased ? x : s.unset(shape);
    const Tensor p{s.memory(static_cast<std::size_t>(shape.count()) * 4), shape, DType::f32};
    auto* const sums = static_cast<LossSums*>(s.memory(sizeof(LossSums)));
    op->softmax(s.context(), x, p);
    op->loss(s.context(), x, s.upload_raw({9, 1, 1, 1}, labels, DType::i32), 0.25f, dx, sums);
    LossSums found;
    s.device().copy_to_host(&found, sums, sizeof found, s.stream());
    s.stream().synchronize();
    std::vector<float> values = s.download(gradient ? dx : p);
    if (!gradient)
      for (const double v : {found.loss, static_cast<double>(found.images),
                             static_cast<double>(found.top1), static_cast<double>(found.top5)})
        values.push_back(static_cast<float>(v));
    return values;
  };
  compare([&](Side& s) { return run(s, false, false); }, 1e-6);
  for (const bool aliased : {false, true}) compare([&](Side& s) { return run(s, aliased, true); });
}

// More segments than one launch takes, aligned and not; copies are the values rounded.
TEST_F(Bf16, UpdateWritesTheCopies) {
  constexpr std::int64_t size = 37, segments = 70, skip = 1;
  const Shape shape{1, 1, 1, segments * size};
  const auto w = random(shape), g = random(shape), v = random(shape);
  for (const std::int64_t offset : {std::int64_t{0}, skip}) {
    Tensor copy;
    compare(
        [&](Side& s) {
          const Tensor wt = s.upload_raw(shape, w, DType::f32),
                       gt = s.upload_raw(shape, g, DType::f32),
                       vt = s.upload_raw(shape, v, DType::f32);
          const bool copies = s.type() == DType::bf16;
          copy = s.upload_bf16(shape, w);
          std::vector<UpdateSegment> all;
          for (std::int64_t i = 0; i < segments; ++i) {
            const std::int64_t at = i * size + offset;
            all.push_back({wt.f32() + at, gt.f32() + at, vt.f32() + at, nullptr, size - offset,
                           i == 3 ? 0.0f : 0.1f, 5e-4f, copies ? copy.u8() + 2 * at : nullptr});
          }
          s.ops().update()->sgd(s.context(), all, 0.9f);
          std::vector<float> values = s.download(wt);
          if (copies) {
            std::vector<float> expected;
            for (float value : values) expected.push_back(widened(rounded(value)));
            EXPECT_EQ(s.download(copy), expected);
          }
          return values;
        },
        1e-6);
  }
}

TEST_F(Bf16, PrepareInputPlainAndInBlocks) {
  PrepareInputSpec spec;
  spec.images = 2;
  spec.size = 19;
  spec.mean = MeanKind::same_crop;
  spec.bgr = true;
  spec.scale = {0.5f, 2.0f, 0.25f};
  spec.mean_size = 24;
  const Shape shape{2, 19, 19, 3}, mean_shape{1, 24, 24, 3};
  std::vector<std::uint8_t> crops;
  for (float v : random(shape)) crops.push_back(static_cast<std::uint8_t>((v + 1) * 127));
  const std::vector<CropRecord> records{{1, 2, 0, {1, 2, 3}}, {5, 0, 1, {-4, 5, 6.5f}}};
  std::vector<std::uint8_t> bytes(records.size() * sizeof(CropRecord));
  std::memcpy(bytes.data(), records.data(), bytes.size());
  const auto mean = random(mean_shape);
  for (const InputForm& form :
       {InputForm{}, InputForm{6, 6, 3, 4, 2}, InputForm{10, 10, 3, 2, 0}}) {
    spec.form = form;
    const Shape out = form.block > 1 ? form.shape(2) : shape;
    compare([&](Side& s) {
      const Tensor x = s.unset(out);
      const Tensor record = s.upload_raw({1, 1, 1, 48}, bytes, DType::u8);
      s.ops().prepare_input(spec)->apply(s.context(), s.upload_raw(shape, crops, DType::u8),
                                         static_cast<const CropRecord*>(record.data),
                                         s.upload_raw(mean_shape, mean, DType::f32).f32(), x);
      return s.download(x);
    });
  }
}

TEST_F(Bf16, ChannelParts) {
  for (const std::vector<Range>& parts :
       {std::vector<Range>{{0, 8}, {8, 24}, {24, 32}}, std::vector<Range>{{0, 3}, {3, 32}}}) {
    const ChannelPartsSpec spec{{2, 3, 3, 32}, parts, 18 * 32};
    const Shape slots{static_cast<std::int64_t>(parts.size()), 1, 1, spec.slot};
    const auto whole = random(spec.whole);
    for (const int what : {0, 1, 2})
      compare(
          [&](Side& s) {
            const auto op = s.ops().channel_parts(spec);
            const Tensor wt = s.upload(spec.whole, whole), split = s.unset(slots);
            const Tensor back = s.unset(spec.whole), one = s.unset({2, 3, 3, parts[1].size()});
            op->split(s.context(), wt, split);
            op->join(s.context(), split, back);
            op->extract(s.context(), wt, 1, one);
            return s.download(what == 0 ? split : what == 1 ? back : one);
          },
          0);
  }
}

}  // namespace
}  // namespace convoy
