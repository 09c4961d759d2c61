// cuBLASLt on the CPU: plain loops in double precision, two plans a product so that there is a
// choice.
#include <algorithm>

#include "core/cuda/product.h"
#include "tests/cuda_on_cpu/launch_kernel.h"
#include "tests/cuda_on_cpu/numbers.h"

namespace convoy {

using cuda_on_cpu::Numbers;

struct BlasLt::State {};
BlasLt::BlasLt() = default;
BlasLt::~BlasLt() = default;
std::string BlasLt::version() const { return "cuBLASLt emulated"; }

namespace {

// from [rows, columns], or [columns, rows] transposed, as [rows, columns].
std::vector<float> read(const Numbers& from, std::int64_t rows, std::int64_t columns,
                        bool transposed) {
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      values[static_cast<std::size_t>(r * columns + c)] =
          from[transposed ? c * rows + r : r * columns + c];
  return values;
}

void compute(const Product& p, const ProductPointers& at) {
  const auto a = read({const_cast<void*>(at.a), p.type}, p.m, p.k, p.transposed_a);
  const auto b = read({const_cast<void*>(at.b), p.type}, p.k, p.n, p.transposed_b);
  const Numbers bias{const_cast<void*>(at.bias), p.type};
  const Numbers c{at.c, p.result_type};
  std::vector<double> row(static_cast<std::size_t>(p.n));
  for (std::int64_t i = 0; i < p.m; ++i) {
    std::ranges::fill(row, 0.0);
    for (std::int64_t k = 0; k < p.k; ++k) {
      const double factor = a.data()[i * p.k + k];
      for (std::int64_t j = 0; j < p.n; ++j) row.data()[j] += factor * b.data()[k * p.n + j];
    }
    for (std::int64_t j = 0; j < p.n; ++j) {
      const double sum = row.data()[j] + (p.bias ? double{bias[j]} : 0.0);
      c.set(i * p.n + j, p.relu ? std::max(0.0, sum) : sum);
    }
  }
}

class EmulatedPlan : public ProductPlan {
 public:
  EmulatedPlan(const Product& product, std::string name, std::size_t workspace)
      : product_(product), name_(std::move(name)), workspace_(workspace) {}
  [[nodiscard]] std::size_t workspace_bytes() const override { return workspace_; }
  [[nodiscard]] std::string name() const override { return name_; }
  void run(cudaStream_t stream, const ProductPointers& at, void* workspace) override {
    cuda_on_cpu::enqueue(stream, [product = product_, bytes = workspace_, at, workspace] {
      // What it is given must be its own to overwrite.
      std::fill_n(static_cast<char*>(workspace), bytes, char{0x5A});
      compute(product, at);
    });
  }

 private:
  Product product_;
  std::string name_;
  std::size_t workspace_;
};

}  // namespace

std::unique_ptr<ProductPlan> make_product_plan(BlasLt&, const Product& product, std::size_t limit,
                                               const std::string& name) {
  const std::size_t workspace = name == "lt:1" ? 4096 : 0;
  if ((workspace == 0 && name != "lt:0") || workspace > limit) return nullptr;
  return std::make_unique<EmulatedPlan>(product, name, workspace);
}

std::vector<std::unique_ptr<ProductPlan>> make_product_plans(BlasLt& blas, const Product& product,
                                                             std::size_t limit, int) {
  std::vector<std::unique_ptr<ProductPlan>> plans;
  for (const char* name : {"lt:1", "lt:0"})
    if (auto plan = make_product_plan(blas, product, limit, name)) plans.push_back(std::move(plan));
  return plans;
}

}  // namespace convoy
