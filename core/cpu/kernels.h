// The table of vector kernels of the CPU device, compiled once per instruction set.
//
// kernels_body.inc is the one source; kernels_baseline.cpp, kernels_avx2.cpp and kernels_avx512.cpp
// compile it with different options. This header is included by all of them, so it holds plain
// structs only: an inline function would exist in several versions, of which the linker keeps one.
// Kernels are single-threaded and allocate nothing; the operations spread them over threads.
#pragma once

#include <stdint.h>

namespace convoy::cpu {

// Response normalisation: y = x d^-beta, d = k + alpha * (sum of squares in a window).
struct NormParameters {
  float alpha;
  float beta;
  float k;
};

// Limits of lrn_forward and lrn_backward, from their scratch memory on the stack.
constexpr int64_t kLrnMaxGroup = 4096;
constexpr int64_t kLrnMaxSize = 65;

// The largest window of pooling: a place in it is one byte.
constexpr int64_t kPoolMaxKernel = 16;

// Pooling of one image [H, W, C] to [P, Q, C]; windows that reach past the edge are clipped.
struct PoolGeometry {
  int64_t w, c;
  int64_t p, q;
  int64_t kernel;
  int64_t stride;
};

// One row of prepare_input: out[i] = (crop - mean + add) * scale per colour.
struct PrepareRow {
  const uint8_t* crop;  // [size, 3] RGB
  const float* mean;    // [size, 3] RGB, or null
  int64_t size;
  int mirror_crop;  // read `crop` from its end
  int mirror_mean;  // read `mean` from its end
  int bgr;          // write B, G, R
  float add[3];     // R, G, B
  float scale[3];   // R, G, B
};

// Counter and key of a Philox source; the block number is what the kernel counts.
struct PhiloxPlace {
  uint32_t stream, time, position;
  uint32_t key0, key1;
};

// c[i][j] = (add ? c[i][j] : 0) + the sum over k of a[i a_row + k a_step] b[k b_step + j], row by
// row of k in order; with `apart` the sum over k begins at zero and is then added to c. Columns
// come in panels of two vectors, whose b begin b_panel floats apart; the last vector of b and of c
// must have room beyond `columns`.
struct Product {
  int64_t rows, columns, depth;
  const float* a;
  int64_t a_row, a_step;
  const float* b;
  int64_t b_step, b_panel;
  float* c;
  int64_t c_row;
  int add;
  int apart = 0;  // only where `add` is set
  // What is needed next, fetched meanwhile into a core's own cache: kAheadFloats from the start of
  // each of some rows, as far as the work suffices.
  const float* ahead = nullptr;
  int64_t ahead_row = 0, ahead_rows = 0;
};
constexpr int64_t kAheadFloats = 256;
constexpr int64_t kLineFloats = 16;  // of a cache line

// How a side of an image is cut into tiles: the first `large` of the `count` have all outputs, the
// others one less. The last one may reach past the end.
struct TileSide {
  int64_t count, large;
};

// What is done at a time: rows of tiles [begin, end) of some images.
struct MinimalBlock {
  int64_t images;
  TileSide rows, columns;
  int64_t begin, end;
};

// The products' operands: plane t begins at data + offset[t] and has one row per tile (in planes of
// the last finite point: per large tile), [row] floats apart.
struct MinimalPlanes {
  float* data;
  const int64_t* offset;
  int64_t row;
};

// Images [.., h, w, channels] whose pixels lie `pixel` floats apart; `zeros` is a pixel of zeros.
struct MinimalImages {
  float* data;
  int64_t h, w, pixel, channels;
  const float* zeros;
};

struct MinimalOutput {
  MinimalImages images;
  const float* bias;  // [channels] or null
  int relu;
  const float* mask;  // laid out as the images; where it is <= 0 the output is 0. Null: none
};

// w [kernels, taps, taps, channels] to points [plane][panel][depth][two vectors]: forward the
// panels hold kernels and the depth is channels; flipped (for gradients of inputs) the other way
// round.
struct MinimalFilter {
  const float* w;
  int64_t kernels, channels;
  int64_t begin, end;  // the kernels of this call; forward `begin` is a multiple of a vector
  float* points;
  int64_t plane;
};

// sums [plane][kernels][row] to dw [kernels, taps, taps, channels].
struct MinimalFilterGradient {
  const float* sums;
  int64_t plane, row;
  int64_t kernels, channels;
  float* dw;
};

// Minimal filtering F(outputs x outputs, taps x taps); MINIMAL_FILTERING.md.
struct MinimalKernels {
  int outputs, taps;
  void (*input)(const MinimalBlock*, const MinimalPlanes*, const MinimalImages*, int64_t pad);
  void (*gradient)(const MinimalBlock*, const MinimalPlanes*, const MinimalImages*);
  void (*output)(const MinimalBlock*, const MinimalPlanes*, const MinimalOutput*);
  void (*filter)(const MinimalFilter*);
  void (*filter_flipped)(const MinimalFilter*);
  void (*filter_gradient)(const MinimalFilterGradient*);
};

struct Kernels {
  const char* name;
  int lanes;  // floats in a vector

  void (*product)(const Product*);
  const MinimalKernels* minimal3;  // 3 x 3 taps
  const MinimalKernels* minimal5;  // 5 x 5 taps

  void (*relu_forward)(float* x, int64_t count);
  void (*relu_backward)(const float* y, float* dy, int64_t count);
  void (*scale)(float* x, float factor, int64_t count);
  void (*add)(const float* x, float* y, int64_t count);  // y += x

  // x [rows, columns] to panels of two vectors, out [panel][rows][two vectors], zeros beyond the
  // columns; panels lie out_panel floats apart.
  void (*pack)(const float* x, int64_t x_row, int64_t rows, int64_t columns, float* out,
               int64_t out_panel);
  // out [columns][rows], rows rounded up to vectors with zeros: x [rows, columns] transposed.
  void (*pack_transposed)(const float* x, int64_t x_row, int64_t rows, int64_t columns, float* out,
                          int64_t out_row);
  // y [columns, rows] = x [rows, columns] transposed + bias [rows], then max(0, y) where relu is
  // set.
  void (*add_bias_transposed)(const float* x, int64_t x_row, int64_t rows, int64_t columns,
                              const float* bias, int relu, float* y, int64_t y_row);
  // sums [n] = (add ? sums : 0) + the sum over rows of columns [0, n) of x [rows, stride], in
  // order.
  void (*column_sums)(const float* x, int64_t rows, int64_t n, int64_t stride, float* sums,
                      int add);

  // x [rows, group]: a row is one pixel's channels of one group.
  void (*lrn_forward)(const float* x, float* y, int64_t rows, int64_t group, int64_t size,
                      const NormParameters* p);
  // dx may be dy. mask: dx is 0 where not x > 0.
  void (*lrn_backward)(const float* x, const float* dy, float* dx, int64_t rows, int64_t group,
                       int64_t size, const NormParameters* p, int mask);

  // One image [H, W, C]; work holds H W C floats forward, 3 H W C backward.
  void (*spatial_forward)(const float* x, float* y, int64_t h, int64_t w, int64_t c, int64_t size,
                          const NormParameters* p, float* work);
  void (*spatial_backward)(const float* x, const float* dy, float* dx, int64_t h, int64_t w,
                           int64_t c, int64_t size, const NormParameters* p, float* work);

  // A row [Q, C] of y and of the places (kernel * i + j of the first maximum) from the `count` rows
  // [W, C] of x that its windows cover.
  void (*pool_forward)(const PoolGeometry* g, const float* const* rows, int64_t count, float* y,
                       uint8_t* place);
  // Row `row` of dx [H, W, C]. Where y is given, maxima that are not above 0 pass no gradient.
  void (*pool_backward)(const PoolGeometry* g, const float* y, const float* dy,
                        const uint8_t* place, int64_t row, float* dx);

  // The elements [first, first + count) of an image (dropout.h), x holding the first of them.
  // half: one bit an element; otherwise the word must reach `threshold` to be kept.
  void (*dropout_half)(float* x, int64_t first, int64_t count, float scale, const PhiloxPlace* at);
  void (*dropout)(float* x, int64_t first, int64_t count, float scale, uint64_t threshold,
                  const PhiloxPlace* at);

  void (*sgd)(float* w, const float* g, float* v, int64_t count, float lr, float decay,
              float momentum);
  // rate = lr / (1 - beta1^t), root = 1 / sqrt(1 - beta2^t).
  void (*adam)(float* w, const float* g, float* m, float* s, int64_t count, float rate, float root,
               float beta1, float beta2, float epsilon);

  void (*prepare_row)(const PrepareRow* row, float* out);

  // Runs dependent multiply-adds in registers and returns how many operations (2 each) it made;
  // *sink keeps the compiler from leaving them out.
  int64_t (*multiply_add_chains)(int64_t rounds, float* sink);
};

enum class Isa { baseline, avx2, avx512 };

// The best that this processor runs.
Isa best_isa();
// The kernels compiled for `isa`, which the processor must run.
const Kernels& kernels_for(Isa isa);

}  // namespace convoy::cpu
