// cuBLASLt: plans of matrix products, found by its heuristics and made again from their bytes.
#include "core/cuda/blaslt.h"

#include <array>
#include <charconv>

#include <cublasLt.h>

#include "core/cuda/product.h"
#include "core/error.h"

namespace convoy {
namespace {

void check_blas(cublasStatus_t code, const char* doing) {
  if (code != CUBLAS_STATUS_SUCCESS)
    fail(ExitCode::rank_failed, "cuBLASLt failed while {}: {}", doing,
         cublasLtGetStatusString(code));
}

// Owns a handle of cuBLASLt.
template <typename T, cublasStatus_t (*release)(T)>
struct Owned {
  Owned() = default;
  ~Owned() {
    if (raw != nullptr) release(raw);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  T raw = nullptr;
};
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

cudaDataType_t type_of(DType type) { return type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F; }

// Without FAST_TF32 operands of fp32 are never rounded.
cublasComputeType_t compute_of(Precision precision) {
  return precision == Precision::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

}  // namespace

struct BlasLt::State {
  Owned<cublasLtHandle_t, cublasLtDestroy> handle;
};

namespace {

// cuBLASLt's matrices have contiguous columns: there the product of rows is c^T = b^T a^T.
class Description {
 public:
  explicit Description(const Product& p) : bias_(p.bias) {
    check_blas(cublasLtMatmulDescCreate(&matmul_.raw, compute_of(p.precision), CUDA_R_32F), kDoing);
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.transposed_b ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.transposed_a ? CUBLAS_OP_T : CUBLAS_OP_N);
    if (p.bias) {
      set(CUBLASLT_MATMUL_DESC_EPILOGUE,
          p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS);
      set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(p.type));
    }
    make(first_, p.type, p.transposed_b ? p.k : p.n, p.transposed_b ? p.n : p.k);
    make(second_, p.type, p.transposed_a ? p.m : p.k, p.transposed_a ? p.k : p.m);
    make(result_, p.result_type, p.n, p.m);
  }

  void set_bias(const void* bias) {
    if (bias_) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  }
  [[nodiscard]] cublasLtMatmulDesc_t matmul() const { return matmul_.raw; }
  [[nodiscard]] cublasLtMatrixLayout_t first() const { return first_.raw; }
  [[nodiscard]] cublasLtMatrixLayout_t second() const { return second_.raw; }
  [[nodiscard]] cublasLtMatrixLayout_t result() const { return result_.raw; }

 private:
  static constexpr const char* kDoing = "describing a product";

  template <typename T>
  void set(cublasLtMatmulDescAttributes_t name, const T& value) {
    check_blas(cublasLtMatmulDescSetAttribute(matmul_.raw, name, &value, sizeof(value)), kDoing);
  }
  static void make(Layout& layout, DType type, std::int64_t rows, std::int64_t columns) {
    check_blas(
        cublasLtMatrixLayoutCreate(&layout.raw, type_of(type), static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), rows),
        kDoing);
  }

  bool bias_;
  Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> matmul_;
  Layout first_;
  Layout second_;
  Layout result_;
};

// An algorithm is 64 bytes that its library can be given again: they are the plan's name.
std::string name_of_algorithm(const cublasLtMatmulAlgo_t& algorithm) {
  std::string name = "lt";
  for (const std::uint64_t word : algorithm.data) name += fmt::format(":{:x}", word);
  return name;
}
bool read_algorithm(const std::string& name, cublasLtMatmulAlgo_t& algorithm) {
  const char* at = name.data() + 2;
  const char* const end = name.data() + name.size();
  if (!name.starts_with("lt:")) return false;
  for (std::uint64_t& word : algorithm.data) {
    if (at == end || *at != ':') return false;
    const auto [next, error] = std::from_chars(at + 1, end, word, 16);
    if (error != std::errc{}) return false;
    at = next;
  }
  return at == end;
}

class BlasPlan : public ProductPlan {
 public:
  BlasPlan(BlasLt::State& state, const Product& product, const cublasLtMatmulAlgo_t& algorithm,
           std::size_t workspace)
      : state_(state), description_(product), algorithm_(algorithm), workspace_(workspace) {}

  [[nodiscard]] std::size_t workspace_bytes() const override { return workspace_; }
  [[nodiscard]] std::string name() const override { return name_of_algorithm(algorithm_); }

  void run(cudaStream_t stream, const ProductPointers& at, void* workspace) override {
    constexpr float kOne = 1;
    constexpr float kZero = 0;
    description_.set_bias(at.bias);
    check_blas(
        cublasLtMatmul(state_.handle.raw, description_.matmul(), &kOne, at.b, description_.first(),
                       at.a, description_.second(), &kZero, at.c, description_.result(), at.c,
                       description_.result(), &algorithm_, workspace, workspace_, stream),
        "starting a product");
  }

 private:
  BlasLt::State& state_;
  Description description_;
  cublasLtMatmulAlgo_t algorithm_;
  std::size_t workspace_;
};

}  // namespace

BlasLt::BlasLt() : state_(std::make_unique<State>()) {
  check_blas(cublasLtCreate(&state_->handle.raw), "starting");
}
BlasLt::~BlasLt() = default;

std::string BlasLt::version() const {
  const std::size_t version = cublasLtGetVersion();
  return fmt::format("cuBLASLt {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::vector<std::unique_ptr<ProductPlan>> make_product_plans(BlasLt& blas, const Product& product,
                                                             std::size_t workspace_limit,
                                                             int count) {
  constexpr const char* kDoing = "looking for algorithms";
  constexpr std::uint32_t kAlignment = 16;
  const Description description(product);
  Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
  check_blas(cublasLtMatmulPreferenceCreate(&preference.raw), kDoing);
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t name, const auto& value) {
    check_blas(cublasLtMatmulPreferenceSetAttribute(preference.raw, name, &value, sizeof(value)),
               kDoing);
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(workspace_limit));
  for (const auto name :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    prefer(name, kAlignment);
  std::vector<cublasLtMatmulHeuristicResult_t> found(static_cast<std::size_t>(count));
  int returned = 0;
  const cublasStatus_t code = cublasLtMatmulAlgoGetHeuristic(
      blas.state().handle.raw, description.matmul(), description.first(), description.second(),
      description.result(), description.result(), preference.raw, count, found.data(), &returned);
  std::vector<std::unique_ptr<ProductPlan>> plans;
  if (code == CUBLAS_STATUS_NOT_SUPPORTED) return plans;
  check_blas(code, kDoing);
  for (int i = 0; i < returned; ++i) {
    const auto& one = found[static_cast<std::size_t>(i)];
    if (one.state == CUBLAS_STATUS_SUCCESS && one.workspaceSize <= workspace_limit)
      plans.push_back(
          std::make_unique<BlasPlan>(blas.state(), product, one.algo, one.workspaceSize));
  }
  return plans;
}

std::unique_ptr<ProductPlan> make_product_plan(BlasLt& blas, const Product& product,
                                               std::size_t workspace_limit,
                                               const std::string& name) {
  cublasLtMatmulAlgo_t algorithm{};
  if (!read_algorithm(name, algorithm)) return nullptr;
  const Description description(product);
  cublasLtMatmulHeuristicResult_t checked{};
  const cublasStatus_t code = cublasLtMatmulAlgoCheck(
      blas.state().handle.raw, description.matmul(), description.first(), description.second(),
      description.result(), description.result(), &algorithm, &checked);
  if (code != CUBLAS_STATUS_SUCCESS || checked.workspaceSize > workspace_limit) return nullptr;
  return std::make_unique<BlasPlan>(blas.state(), product, algorithm, checked.workspaceSize);
}

}  // namespace convoy
