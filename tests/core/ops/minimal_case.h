// Shapes of convolution for minimal filtering, and parts of what goes in and comes out.
#pragma once

#include <fmt/format.h>

#include "tests/core/ops/conv_case.h"

namespace convoy {

struct IsaCase {
  std::string name;
  cpu::Isa isa;
  friend std::ostream& operator<<(std::ostream& out, const IsaCase& c) { return out << c.name; }
};

inline std::vector<IsaCase> isa_cases() {
  std::vector<IsaCase> cases;
  for (const IsaCase& c : {IsaCase{"baseline", cpu::Isa::baseline}, IsaCase{"avx2", cpu::Isa::avx2},
                           IsaCase{"avx512", cpu::Isa::avx512}})
    if (c.isa <= cpu::best_isa()) cases.push_back(c);
  return cases;
}

// On each of the instruction sets that this processor has.
class OnEachIsa : public testing::TestWithParam<IsaCase> {
 protected:
  static ConvResults run(const ConvSpec& spec, const ConvInputs& inputs, int threads = 2) {
    return run_conv(GetParam().isa, threads, spec, inputs);
  }
};

// Stride 1, with a gradient of the input.
inline ConvSpec inner(const Shape& x, std::int64_t kernels, std::int64_t kernel,
                      std::int64_t pad_begin, std::int64_t pad_end, std::int64_t groups = 1,
                      std::int64_t sum_parts = 1) {
  return {.x = x,
          .kernels = kernels,
          .kernel = kernel,
          .pad_begin = pad_begin,
          .pad_end = pad_end,
          .groups = groups,
          .method = ConvMethod::minimal,
          .sum_parts = sum_parts};
}

// A first layer with stride.
inline ConvSpec first(const Shape& x, std::int64_t kernels, std::int64_t kernel,
                      std::int64_t stride, std::int64_t pad_begin, std::int64_t pad_end,
                      std::int64_t sum_parts = 1) {
  return {.x = x,
          .kernels = kernels,
          .kernel = kernel,
          .stride = stride,
          .pad_begin = pad_begin,
          .pad_end = pad_end,
          .relu = true,
          .needs_dx = false,
          .method = ConvMethod::minimal,
          .sum_parts = sum_parts};
}

inline std::string describe(const ConvSpec& s) {
  return fmt::format(
      "{} images {}x{}x{}, {} kernels {}x{} stride {}, pad {}/{}, {} groups{}, {} "
      "parts",
      s.x.n, s.x.h, s.x.w, s.x.c, s.kernels, s.kernel, s.kernel, s.stride, s.pad_begin, s.pad_end,
      s.groups, s.relu ? ", ReLU" : "", s.sum_parts);
}

// Shapes that meet an edge of the code: of tiles, vectors, panels, blocks of kernels or images.
inline std::vector<ConvSpec> corner_cases() {
  return {
      inner({1, 1, 1, 1}, 1, 3, 1, 1),       // one pixel, one output
      inner({2, 3, 3, 5}, 7, 3, 0, 0),       // one output
      inner({1, 5, 5, 3}, 2, 5, 0, 0),       // one output
      inner({3, 1, 1, 17}, 16, 5, 2, 2),     // all but one tap in the padding
      inner({1, 1, 30, 4}, 5, 3, 2, 2),      // a line; more outputs than inputs
      inner({2, 30, 1, 4}, 5, 5, 4, 4),      // a column
      inner({2, 2, 4, 33}, 9, 3, 0, 1),      // smaller than a tile, no padding above
      inner({2, 3, 2, 9}, 33, 5, 4, 0),      // no padding below
      inner({4, 6, 6, 16}, 16, 3, 1, 1),     // small tiles only, the last half empty
      inner({4, 10, 10, 16}, 16, 3, 1, 1),   // large tiles only
      inner({13, 13, 13, 24}, 8, 3, 1, 1),   // 5 + 4 + 4
      inner({2, 27, 27, 12}, 16, 5, 2, 2),   // 6 x 4 + 3
      inner({3, 5, 4, 6}, 150, 3, 1, 1),     // three blocks of kernels forward
      inner({3, 5, 4, 150}, 6, 3, 1, 1, 2),  // 75 channels: two blocks of them in the gradient of x
      inner({2, 6, 7, 10}, 260, 5, 2, 2, 2),  // 130 kernels in a group
      inner({12, 30, 29, 3}, 20, 3, 1, 1),    // several blocks of images
      inner({9, 30, 30, 2}, 9, 5, 2, 2, 1),   // several blocks of images
      inner({8, 28, 30, 2}, 9, 5, 2, 2, 1, 2),
      inner({8, 3, 3, 8}, 8, 3, 1, 1, 2, 8),  // a part is one image
      first({2, 43, 35, 3}, 20, 11, 4, 0, 0),
      first({4, 41, 50, 3}, 17, 11, 4, 2, 1, 4),
      first({3, 31, 31, 3}, 33, 11, 4, 1, 2),
      first({1, 11, 11, 3}, 5, 11, 4, 0, 0),  // one output
      first({2, 40, 27, 3}, 16, 9, 3, 0, 2),
      first({2, 21, 30, 3}, 12, 9, 3, 4, 3),
      first({5, 30, 17, 3}, 24, 5, 2, 0, 0),
      first({6, 19, 30, 3}, 10, 5, 2, 2, 2, 2),
      first({2, 33, 28, 3}, 16, 9, 2, 0, 0),  // five taps
      first({2, 28, 33, 3}, 31, 9, 2, 4, 3),
      first({3, 20, 23, 1}, 8, 10, 4, 3, 0),  // taps that are not all there, one colour
  };
}

// Channels and kernels of every remainder of a vector, twice with either size of filter.
inline ConvSpec drawn_case(std::uint32_t index) {
  Draws draws(1000 + index);
  const std::int64_t half = index / 2;
  ConvSpec spec = inner({1, 1, 1, 1}, 1, index % 2 == 0 ? 3 : 5, 0, 0, draws.number(1, 2));
  spec.x.c = spec.groups * (1 + half % 16 + 16 * draws.number(0, 1) + 8 * draws.number(0, 1));
  spec.kernels = spec.groups * (1 + (5 * half + 3) % 16 + 16 * draws.number(0, 1));
  do {
    spec.pad_begin = draws.number(0, spec.kernel - 1);
    spec.pad_end = draws.number(0, spec.kernel - 1);
    spec.x.h = draws.number(1, 30);
    spec.x.w = draws.number(1, 30);
  } while (spec.y().h < 1 || spec.y().w < 1);
  spec.relu = draws.number(0, 1) == 1;
  spec.x.n = draws.number(1, 13);
  // What double precision can do in the time: fewer images, then smaller ones.
  const auto products = [&] { return spec.y().count() * spec.weights().per_row(); };
  constexpr std::int64_t kMost = 1'500'000;
  while (products() > kMost && spec.x.n > 1) --spec.x.n;
  while (products() > kMost) --(spec.y().h > spec.y().w ? spec.x.h : spec.x.w);
  while (draws.number(0, 1) == 1 && spec.x.n % (2 * spec.sum_parts) == 0) spec.sum_parts *= 2;
  return spec;
}

inline void expect_same(const ConvResults& a, const ConvResults& b) {
  EXPECT_TRUE(same_bits(a.y, b.y)) << "forward";
  EXPECT_TRUE(same_bits(a.dx, b.dx)) << "dX";
  EXPECT_TRUE(same_bits(a.dw, b.dw)) << "dW";
  EXPECT_TRUE(same_bits(a.db, b.db)) << "db";
}

// Channels [begin, end) of every pixel; `channels` of them lie there.
inline std::vector<float> some_channels(const std::vector<float>& pixels, std::int64_t channels,
                                        const Range& some) {
  std::vector<float> part;
  for (auto pixel = pixels.begin(); pixel != pixels.end(); pixel += channels)
    part.insert(part.end(), pixel + some.begin, pixel + some.end);
  return part;
}

// As some_channels, of one dimension: whole rows of `row` floats.
inline std::vector<float> some_rows(const std::vector<float>& rows, std::int64_t row,
                                    const Range& some) {
  return {rows.begin() + some.begin * row, rows.begin() + some.end * row};
}

// A rank's images out of a larger batch.
inline ConvInputs some_images(const ConvSpec& spec, const ConvInputs& all, const Range& images) {
  return {.x = some_rows(all.x, spec.x.per_row(), images),
          .w = all.w,
          .b = all.b,
          .dy = some_rows(all.dy, spec.y().per_row(), images)};
}

inline std::vector<float> added(std::vector<float> a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

}  // namespace convoy
