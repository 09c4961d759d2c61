// The gradient of a fully connected layer's weights and biases on the CPU.
//
// Where a sink wants it, it is made in blocks so small that they, and what the sink fetches for
// them, stay in a core's own cache; else in its place, in larger blocks.
#pragma once

#include <cstdint>

#include "core/ops/gradient_sink.h"
#include "core/ops/operations_cpu.h"

namespace convoy {

class FullyConnectedGradient {
 public:
  FullyConnectedGradient(CpuTeam team, const FullyConnectedSpec& spec);

  [[nodiscard]] std::int64_t workspace_floats() const;
  // x [images, in] and dy [images, out] to dw [out, in] and db [out]; FullyConnectedOp says more.
  void run(float* workspace, const float* x, const float* dy, float* dw, float* db,
           GradientSink* sink) const;

 private:
  struct Blocks {
    std::int64_t rows, columns;  // neurons and inputs of a block
  };
  struct Scratch {     // of a thread
    float* gradients;  // dy's columns of a block, [images][rows]
    float* block;      // that is not made in place
    float* partial;    // sums that wait for their other half
  };

  struct Ahead {  // what a panel fetches: kAheadFloats from the start of each row
    const float* first = nullptr;
    std::int64_t rows = 0;
  };

  [[nodiscard]] Blocks blocks(bool in_place) const;
  // Floats of work memory.
  [[nodiscard]] std::int64_t packed_floats() const;
  [[nodiscard]] std::int64_t copied_floats() const;
  [[nodiscard]] std::int64_t tile_floats() const;
  [[nodiscard]] std::int64_t scratch_floats() const;

  void sum_biases(const Scratch& scratch, std::int64_t rows, float* db) const;
  void make_block(const Scratch& scratch, const float* inputs, const GradientBlock& block,
                  float* place, GradientSink* sink) const;
  [[nodiscard]] Ahead ahead_of(const GradientBlock& block, std::int64_t at) const;
  void make_panel(const Scratch& scratch, const float* inputs, std::int64_t rows,
                  std::int64_t width, float* to, std::int64_t to_row, const Ahead& ahead) const;

  CpuTeam team_;
  FullyConnectedSpec spec_;
  std::int64_t panel_;        // columns of a panel of a product
  std::int64_t part_images_;  // of a part of the sums
};

}  // namespace convoy
