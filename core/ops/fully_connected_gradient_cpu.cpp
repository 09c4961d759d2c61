// Products of packed inputs and gradients, block by block and panel by panel.
#include "core/ops/fully_connected_gradient_cpu.h"

#include <algorithm>
#include <bit>

#include <omp.h>

#include "core/ops/parallel_cpu.h"
#include "core/ops/sum_parts_cpu.h"

namespace convoy {
namespace {

// A block in place is as wide as the packed inputs of its columns fit a core's own cache.
constexpr std::int64_t kRowsInPlace = 48;
constexpr std::int64_t kColumnsInPlace = 2048;
constexpr std::int64_t kCachedInputs = std::int64_t{128} << 10;
// One for a sink leaves room for values and moments of the same parameters, whose rows, being some
// power of two apart, often compete for few places of that cache.
constexpr std::int64_t kRows = 24;
constexpr std::int64_t kColumns = 256;
constexpr std::int64_t kBlockRow =
    kColumns + cpu::kLineFloats;  // an odd number of cache lines, too

}  // namespace

FullyConnectedGradient::FullyConnectedGradient(CpuTeam team, const FullyConnectedSpec& spec)
    : team_(team),
      spec_(spec),
      panel_(2 * team.kernels.lanes),
      part_images_(spec.images / spec.sum_parts) {}

FullyConnectedGradient::Blocks FullyConnectedGradient::blocks(bool in_place) const {
  const std::int64_t columns =
      in_place ? std::clamp(kCachedInputs / spec_.images, panel_, kColumnsInPlace) : kColumns;
  return {std::min(spec_.out, in_place ? kRowsInPlace : kRows), round_up(columns, panel_)};
}

std::int64_t FullyConnectedGradient::packed_floats() const {
  return round_up(spec_.in, panel_) * spec_.images;
}

std::int64_t FullyConnectedGradient::tile_floats() const { return blocks(true).rows * panel_; }

std::int64_t FullyConnectedGradient::copied_floats() const {
  return round_up(spec_.images * blocks(true).rows, panel_);
}

std::int64_t FullyConnectedGradient::scratch_floats() const {
  const std::int64_t tiles = std::bit_width(static_cast<std::uint64_t>(spec_.sum_parts));
  return copied_floats() + kRows * kBlockRow + tiles * tile_floats();
}

std::int64_t FullyConnectedGradient::workspace_floats() const {
  return packed_floats() + team_.threads * scratch_floats();
}

void FullyConnectedGradient::run(float* workspace, const float* x, const float* dy, float* dw,
                                 float* db, GradientSink* sink) const {
  const std::int64_t n = spec_.images;
  const std::int64_t in = spec_.in;
  const std::int64_t out = spec_.out;
  float* const inputs = workspace;  // [panel][images][two vectors]
  for_pieces(team_.threads, in, kPackedPiece, [&](std::int64_t begin, std::int64_t end) {
    team_.kernels.pack(x + begin, in, n, end - begin, inputs + begin * n, n * panel_);
  });
  // In place there has to be room for whole vectors.
  const bool in_place = sink == nullptr && in % team_.kernels.lanes == 0;
  const Blocks size = blocks(in_place);
  const std::int64_t rows = (out + size.rows - 1) / size.rows;
  const std::int64_t columns = (in + size.columns - 1) / size.columns;
  for_pieces(team_.threads, rows * columns, 1, [&](std::int64_t number, std::int64_t) {
    const std::int64_t row = number % rows * size.rows;
    const std::int64_t column = number / rows * size.columns;
    float* const place = dw + row * in + column;
    const GradientBlock block{place, std::min(size.columns, in - column),
                              std::min(size.rows, out - row), in};
    float* const memory = inputs + packed_floats() + omp_get_thread_num() * scratch_floats();
    const Scratch scratch{memory, memory + copied_floats(),
                          memory + copied_floats() + kRows * kBlockRow};
    for (std::int64_t i = 0; i < n; ++i)
      std::copy_n(dy + i * out + row, block.rows, scratch.gradients + i * block.rows);
    if (column == 0) sum_biases(scratch, block.rows, db + row);
    make_block(scratch, inputs + column * n, block, in_place ? place : nullptr, sink);
    if (in_place) return;
    const bool stores = sink == nullptr || sink->stores();
    for (std::int64_t r = 0; stores && r < block.rows; ++r)
      std::copy_n(scratch.block + r * kBlockRow, block.count, place + r * in);
    if (sink != nullptr) sink->finished(block, scratch.block, kBlockRow);
  });
}

void FullyConnectedGradient::sum_biases(const Scratch& scratch, std::int64_t rows,
                                        float* db) const {
  float* const sums = scratch.partial;
  const auto leaf = [&](std::int64_t part, float* to, bool add) {
    float* const sum = add ? sums : to;
    team_.kernels.column_sums(scratch.gradients + part * part_images_ * rows, part_images_, rows,
                              rows, sum, false);
    if (add) team_.kernels.add(sum, to, rows);
  };
  sum_pairwise(0, spec_.sum_parts, db, sums + rows, rows, leaf,
               [&](const float* from, float* to) { team_.kernels.add(from, to, rows); });
}

// Panel by panel into `place`, or into the scratch memory's block where that is null; what the sink
// needs of the same parameters is fetched beside the products.
void FullyConnectedGradient::make_block(const Scratch& scratch, const float* inputs,
                                        const GradientBlock& block, float* place,
                                        GradientSink* sink) const {
  float* const sums = place != nullptr ? place : scratch.block;
  const std::int64_t row = place != nullptr ? block.row : kBlockRow;
  const std::int64_t panels = (block.count + panel_ - 1) / panel_;
  const std::int64_t share = (block.rows + panels - 1) / panels;
  for (std::int64_t at = 0, expected = 0; at < block.count; at += panel_, expected += share) {
    if (sink != nullptr && expected < block.rows)
      sink->expect({block.first + expected * block.row, block.count,
                    std::min(share, block.rows - expected), block.row});
    make_panel(scratch, inputs + at * spec_.images, block.rows, std::min(panel_, block.count - at),
               sums + at, row, place != nullptr ? ahead_of(block, at) : Ahead{});
  }
}

// Of a block in place: lines of gradients that come next, for which stores would wait. Some
// columns' panels share the rows of the columns after them.
FullyConnectedGradient::Ahead FullyConnectedGradient::ahead_of(const GradientBlock& block,
                                                               std::int64_t at) const {
  const std::int64_t next = (at / cpu::kAheadFloats + 1) * cpu::kAheadFloats;
  if (next + cpu::kAheadFloats > block.count) return {};
  const std::int64_t panels = cpu::kAheadFloats / panel_;
  const std::int64_t share = (block.rows + panels - 1) / panels;
  const std::int64_t row = at / panel_ % panels * share;
  return {block.first + row * block.row + next,
          std::clamp<std::int64_t>(block.rows - row, 0, share)};
}

// to [rows][width], `to_row` floats apart.
void FullyConnectedGradient::make_panel(const Scratch& scratch, const float* inputs,
                                        std::int64_t rows, std::int64_t width, float* to,
                                        std::int64_t to_row, const Ahead& ahead) const {
  const auto row_of = [&](const float* sum) { return sum == to ? to_row : panel_; };
  const auto leaf = [&](std::int64_t part, float* sum, bool add) {
    const std::int64_t first = part * part_images_;
    const cpu::Product product{.rows = rows,
                               .columns = width,
                               .depth = part_images_,
                               .a = scratch.gradients + first * rows,
                               .a_row = 1,
                               .a_step = rows,
                               .b = inputs + first * panel_,
                               .b_step = panel_,
                               .b_panel = 0,
                               .c = sum,
                               .c_row = row_of(sum),
                               .add = add,
                               .apart = add,
                               .ahead = ahead.first,
                               .ahead_row = to_row,
                               .ahead_rows = part == 0 ? ahead.rows : 0};
    team_.kernels.product(&product);
  };
  const auto merge = [&](const float* from, float* sum) {
    for (std::int64_t r = 0; r < rows; ++r)
      team_.kernels.add(from + r * panel_, sum + r * row_of(sum), width);
  };
  sum_pairwise(0, spec_.sum_parts, to, scratch.partial, tile_floats(), leaf, merge);
}

}  // namespace convoy
