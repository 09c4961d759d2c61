// uint8 crops to the network's input on a GPU.
#include <cstring>
#include <type_traits>

#include "core/cuda/launch.h"
#include "core/cuda/packs.h"
#include "core/cuda/stream.h"
#include "core/ops/checks.h"
#include "core/ops/operations_cuda.h"

namespace convoy {
namespace {

// CropRecord as kernels read it: they cannot call the members of std::array.
struct Record {
  std::int32_t top, left, mirror;
  float colour[3];
};
static_assert(sizeof(Record) == sizeof(CropRecord) && std::is_trivially_copyable_v<CropRecord>);

struct Preparation {
  int size;
  int h, w, block, pad;  // of the output's form
  std::int64_t images;
  bool bgr;
  int mean_size;
  bool mean_at_crop;  // the mean image's part moves and is mirrored with the crop
  float mean[3];      // R, G, B
  float scale[3];
};

// A thread writes a row of pixels of one block: block x 3 neighbouring values. Plain input has
// blocks of one pixel.
template <typename T>
__global__ void prepare(const std::uint8_t* crops, const std::uint8_t* records,
                        const float* mean_image, T* x, Preparation p) {
  const std::int64_t i = thread_index();
  if (i >= p.images * p.h * p.w * p.block) return;
  const std::int64_t image = i / (std::int64_t{p.block} * p.w * p.h);
  const int a = static_cast<int>(i % p.block);
  const int row = static_cast<int>(i / p.block / p.w % p.h) * p.block - p.pad + a;
  const int first = static_cast<int>(i / p.block % p.w) * p.block - p.pad;
  Record record;
  memcpy(&record, records + image * static_cast<std::int64_t>(sizeof record), sizeof record);
  T* const out = x + i * p.block * 3;
  const bool row_inside = row >= 0 && row < p.size;
  const int edge = (p.mean_size - p.size) / 2;
  for (int b = 0; b < p.block; ++b) {
    const int column = first + b;
    const bool inside = row_inside && column >= 0 && column < p.size;
    const int from = record.mirror != 0 ? p.size - 1 - column : column;
    const std::int64_t crop = ((image * p.size + row) * p.size + from) * 3;
    const std::int64_t mean_row = p.mean_at_crop ? record.top + row : edge + row;
    const std::int64_t mean_column = p.mean_at_crop ? record.left + from : edge + column;
    const std::int64_t mean = (mean_row * p.mean_size + mean_column) * 3;
#pragma unroll
    for (int k = 0; k < 3; ++k) {
      const int c = p.bgr ? 2 - k : k;
      float value = 0.0f;
      if (inside) {
        const float known = mean_image != nullptr ? mean_image[mean + c] : 0.0f;
        value = (static_cast<float>(crops[crop + c]) - known + (record.colour[c] - p.mean[c])) *
                p.scale[c];
      }
      out[b * 3 + k] = from_float<T>(value);
    }
  }
}

class PrepareInputCuda : public PrepareInputOp {
 public:
  explicit PrepareInputCuda(const PrepareInputSpec& spec)
      : uses_image_(spec.mean == MeanKind::centre_crop || spec.mean == MeanKind::same_crop) {
    const auto narrow = [](std::int64_t v) { return static_cast<int>(v); };
    const bool plain = spec.form.block <= 1;
    p_.size = narrow(spec.size);
    p_.h = plain ? p_.size : narrow(spec.form.h);
    p_.w = plain ? p_.size : narrow(spec.form.w);
    p_.block = plain ? 1 : narrow(spec.form.block);
    p_.pad = plain ? 0 : narrow(spec.form.pad);
    p_.images = spec.images;
    p_.bgr = spec.bgr;
    p_.mean_size = narrow(spec.mean_size);
    p_.mean_at_crop = spec.mean == MeanKind::same_crop;
    for (std::size_t k = 0; k < 3; ++k) {
      p_.mean[k] = spec.mean == MeanKind::channel ? spec.channel_mean[k] : 0.0f;
      p_.scale[k] = spec.scale[k];
    }
  }

  void apply(const OpContext& context, const Tensor& crops, const CropRecord* records,
             const float* mean_image, const Tensor& x) override {
    with_type(x.type, [&](auto value) {
      using T = decltype(value);
      launch(prepare<T>, blocks_for(p_.images * p_.h * p_.w * p_.block), kThreads,
             native(context.stream), crops.u8(), reinterpret_cast<const std::uint8_t*>(records),
             uses_image_ ? mean_image : nullptr, data_of<T>(x), p_);
    });
  }

 private:
  bool uses_image_;
  Preparation p_{};
};

}  // namespace

std::unique_ptr<PrepareInputOp> make_prepare_input_cuda(const CudaContext&,
                                                        const PrepareInputSpec& spec) {
  check_prepare_input(spec);
  return std::make_unique<PrepareInputCuda>(spec);
}

}  // namespace convoy
