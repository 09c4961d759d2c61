// A product of matrices as a library computes it, and the plans the library has for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <cuda_runtime.h>

#include "core/cuda/blaslt.h"

namespace convoy {

// c [m, n] = relu?(a b + bias?), rows contiguous: a is [m, k], or [k, m] transposed; b is [k, n],
// or [n, k] transposed; bias [n] is added to every row.
struct Product {
  std::int64_t m = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool transposed_a = false;
  bool transposed_b = false;
  bool bias = false;
  bool relu = false;               // only with a bias
  DType type = DType::f32;         // of a, b and bias
  DType result_type = DType::f32;  // of c
  Precision precision = Precision::fp32;

  // Everything above in one line.
  [[nodiscard]] std::string text() const;
};

struct ProductPointers {
  const void* a = nullptr;
  const void* b = nullptr;
  const void* bias = nullptr;
  void* c = nullptr;
};

class ProductPlan {
 public:
  virtual ~ProductPlan() = default;
  [[nodiscard]] virtual std::size_t workspace_bytes() const = 0;
  // From which make_product_plan() makes it again.
  [[nodiscard]] virtual std::string name() const = 0;
  virtual void run(cudaStream_t stream, const ProductPointers& pointers, void* workspace) = 0;
};

// The library's own order, its best guess first, at most `count`; none where it cannot do it.
[[nodiscard]] std::vector<std::unique_ptr<ProductPlan>> make_product_plans(
    BlasLt& blas, const Product& product, std::size_t workspace_limit, int count);
// The plan of that name; null where the library does not have it or it needs more workspace.
[[nodiscard]] std::unique_ptr<ProductPlan> make_product_plan(BlasLt& blas, const Product& product,
                                                             std::size_t workspace_limit,
                                                             const std::string& name);

}  // namespace convoy
