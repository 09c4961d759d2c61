// ReLU, optimiser steps, input preparation and channel parts against plain loops.
#include <limits>

#include "core/error.h"
#include "tests/core/ops/op_test.h"

namespace convoy {
namespace {

CONVOY_OP_TEST(Relu);
CONVOY_OP_TEST(Update);
CONVOY_OP_TEST(PrepareInput);
CONVOY_OP_TEST(ChannelParts);

TEST_P(Relu, MasksByTheOutput) {
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{3, 5, 7, 11}, Shape{2, 30, 30, 33}}) {
    auto x = random(shape);
    x[0] = 0;
    const auto dy = random(shape);
    const Tensor y = upload(shape, x), dyt = upload(shape, dy);
    ops().relu()->forward(context(), y);
    ops().relu()->backward(context(), y, dyt);
    const auto actual = download(y), gradient = download(dyt);
    for (std::size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(actual[i], std::max(0.0f, x[i]));
      ASSERT_EQ(gradient[i], x[i] > 0 ? dy[i] : 0);
    }
  }
}

TEST_P(Relu, KeepsNaN) {
  const Tensor x = upload({1, 1, 1, 20}, std::vector<float>(20, std::nanf("")));
  ops().relu()->forward(context(), x);
  for (float v : download(x)) EXPECT_TRUE(std::isnan(v));
}

TEST_P(Update, SgdFollowsThePaper) {
  const Shape large{1, 1, 1, 40001}, small{1, 1, 1, 3};
  std::vector<UpdateSegment> segments;
  std::vector<std::array<std::vector<float>, 3>> before;
  std::vector<std::array<Tensor, 3>> tensors;
  for (const auto& [shape, lr, decay] :
       {std::tuple{large, 0.1f, 5e-4f}, std::tuple{small, 0.2f, 0.0f},
        std::tuple{small, 0.0f, 1.0f}}) {
    before.push_back({random(shape), random(shape), random(shape)});
    auto& b = before.back();
    tensors.push_back({upload(shape, b[0]), upload(shape, b[1]), upload(shape, b[2])});
    auto& t = tensors.back();
    segments.push_back({t[0].f32(), t[1].f32(), t[2].f32(), nullptr, shape.c, lr, decay});
  }
  ops().update()->sgd(context(), segments, 0.9f);
  for (std::size_t k = 0; k < segments.size(); ++k) {
    const auto& [w, g, v] = before[k];
    const double lr = segments[k].lr, decay = segments[k].decay;
    Doubles expected_w, expected_v;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double velocity = lr == 0 ? v[i] : 0.9 * v[i] - decay * lr * w[i] - lr * g[i];
      expected_v.push_back(velocity);
      expected_w.push_back(lr == 0 ? w[i] : w[i] + velocity);
    }
    expect_close(download(tensors[k][0]), expected_w, lr == 0 ? 0 : 1e-6);
    expect_close(download(tensors[k][2]), expected_v, lr == 0 ? 0 : 1e-6);
  }
}

// A block of a larger parameter, its gradients apart: what a CPU device updates from a cache.
TEST_P(Update, RowsAreUpdatedAlike) {
  if (!device().updates_from_cache()) GTEST_SKIP() << "updates whole tensors only";
  constexpr std::int64_t kRows = 5, kCount = 37, kRow = 100, kValuesRow = 48;
  const Shape all{kRows, 1, 1, kRow}, values{kRows, 1, 1, kValuesRow};
  const auto w = random(all), v = random(all), s = random(all), g = random(values);
  for (const bool adam : {false, true}) {
    const Tensor rows[] = {upload(all, w), upload(all, v),
                           upload(all, std::vector<float>(s.size(), 0.5f))};
    const Tensor one_by_one[] = {upload(all, w), upload(all, v),
                                 upload(all, std::vector<float>(s.size(), 0.5f))};
    const Tensor gradients = upload(values, g);
    const auto update = [&](const UpdateSegment& segment) {
      ops().update()->expect(segment);
      if (adam)
        ops().update()->adam(context(), {&segment, 1}, AdamSpec{}, 3);
      else
        ops().update()->sgd(context(), {&segment, 1}, 0.9f);
    };
    UpdateSegment block{
        rows[0].f32(), gradients.f32(), rows[1].f32(), adam ? rows[2].f32() : nullptr, kCount, 0.1f,
        5e-4f};
    block.rows = kRows;
    block.row = kRow;
    block.g_row = kValuesRow;
    update(block);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const std::int64_t at = r * kRow;
      update({one_by_one[0].f32() + at, gradients.f32() + r * kValuesRow, one_by_one[1].f32() + at,
              adam ? one_by_one[2].f32() + at : nullptr, kCount, 0.1f, 5e-4f});
    }
    for (int k = 0; k < 3; ++k) EXPECT_EQ(download(rows[k]), download(one_by_one[k]));
    EXPECT_NE(download(rows[0]), w);
  }
}

TEST_P(Update, AdamCorrectsItsBias) {
  const Shape shape{1, 1, 1, 1003};
  const auto w = random(shape);
  const Tensor wt = upload(shape, w);
  const Tensor m = upload(shape, std::vector<float>(1003)),
               s = upload(shape, std::vector<float>(1003));
  Doubles ew = to_doubles(w), em(1003), es(1003);
  for (std::int64_t step = 1; step <= 3; ++step) {
    const auto g = random(shape);
    const Tensor gt = upload(shape, g);
    const UpdateSegment segment{wt.f32(), gt.f32(), m.f32(), s.f32(), 1003, 0.01f, 0};
    ops().update()->adam(context(), {&segment, 1}, {}, step);
    for (std::size_t i = 0; i < ew.size(); ++i) {
      em[i] = 0.9 * em[i] + 0.1 * g[i];
      es[i] = 0.999 * es[i] + 0.001 * g[i] * g[i];
      ew[i] -= 0.01 * em[i] / (1 - std::pow(0.9, step)) /
               (std::sqrt(es[i] / (1 - std::pow(0.999, step))) + 1e-8);
    }
    expect_close(download(wt), ew, 1e-6);
  }
}

TEST_P(PrepareInput, MatchesAPlainLoop) {
  for (const std::int64_t size : {1, 16, 30, 37})
    for (const MeanKind mean :
         {MeanKind::none, MeanKind::channel, MeanKind::centre_crop, MeanKind::same_crop})
      for (const bool bgr : {false, true}) {
        PrepareInputSpec spec;
        spec.images = 3;
        spec.size = size;
        spec.mean = mean;
        spec.bgr = bgr;
        spec.channel_mean = {120, 110, 100};
        spec.scale = {0.5f, 2.0f, 0.25f};
        spec.mean_size = size + 5;
        const Shape shape{3, size, size, 3};
        std::vector<std::uint8_t> crops;
        for (float v : random(shape)) crops.push_back(static_cast<std::uint8_t>((v + 1) * 127.9f));
        const std::vector<CropRecord> records{
            {0, 0, 0, {1, 2, 3}}, {5, 2, 1, {-4, 5, 6.5f}}, {1, 4, 1, {0, 0, 0}}};
        const Shape mean_shape{1, size + 5, size + 5, 3};
        const auto image = random(mean_shape);
        Doubles expected;
        for (std::int64_t n = 0; n < 3; ++n)
          for (std::int64_t h = 0; h < size; ++h)
            for (std::int64_t w = 0; w < size; ++w)
              for (std::int64_t k = 0; k < 3; ++k) {
                const CropRecord& r = records[static_cast<std::size_t>(n)];
                const std::int64_t c = bgr ? 2 - k : k;
                const std::int64_t column = r.mirror ? size - 1 - w : w;
                const auto colour = static_cast<std::size_t>(c);
                double m = 0;
                if (mean == MeanKind::channel) m = spec.channel_mean[colour];
                if (mean == MeanKind::centre_crop)
                  m = image[static_cast<std::size_t>(((2 + h) * (size + 5) + 2 + w) * 3 + c)];
                if (mean == MeanKind::same_crop)
                  m = image[static_cast<std::size_t>(
                      ((r.top + h) * (size + 5) + r.left + column) * 3 + c)];
                const double v =
                    crops[static_cast<std::size_t>(((n * size + h) * size + column) * 3 + c)];
                expected.push_back((v - m + r.colour[colour]) * spec.scale[colour]);
              }
        const Tensor x = unset(shape);
        ops().prepare_input(spec)->apply(context(), upload_as(shape, crops, DType::u8),
                                         upload_records(records), upload(mean_shape, image).f32(),
                                         x);
        expect_close(download(x), expected, 1e-6);
      }
}

TEST_P(ChannelParts, SplitsAndJoins) {
  constexpr std::int64_t slot = 5 * 105 + 3;  // the largest part, and something to leave over
  const ChannelPartsSpec spec{{3, 5, 7, 10}, {{0, 2}, {2, 2}, {2, 7}, {7, 10}}, slot};
  const auto op = ops().channel_parts(spec);
  const auto whole = random(spec.whole);
  const Tensor wt = upload(spec.whole, whole), back = unset(spec.whole);
  const Tensor parts = unset({4, 1, 1, slot});
  op->split(context(), wt, parts);
  std::vector<float> expected;
  for (const Range& part : spec.parts) {
    const std::size_t end = expected.size() + slot;
    for (std::size_t pixel = 0; pixel < 105; ++pixel)
      for (std::int64_t c = part.begin; c < part.end; ++c)
        expected.push_back(whole[pixel * 10 + static_cast<std::size_t>(c)]);
    expected.resize(end);  // zeros
  }
  EXPECT_EQ(download(parts), expected);
  op->join(context(), parts, back);
  EXPECT_EQ(download(back), whole);
  const Tensor third = unset({3, 5, 7, 5});
  op->extract(context(), wt, 2, third);
  EXPECT_EQ(download(third),
            std::vector<float>(expected.begin() + 2 * slot, expected.begin() + 2 * slot + 5 * 105));
}

TEST_P(ChannelParts, RefusesGapsAndShortSlots) {
  EXPECT_THROW(ops().channel_parts({{1, 1, 1, 4}, {{0, 1}, {2, 4}}, 4}), Error);
  EXPECT_THROW(ops().channel_parts({{1, 1, 1, 4}, {{0, 3}}, 4}), Error);
  EXPECT_THROW(ops().channel_parts({{1, 1, 1, 4}, {{0, 1}, {1, 4}}, 2}), Error);
}

}  // namespace
}  // namespace convoy
