// uint8 crops to fp32 input on the CPU, one row of pixels at a time.
#include <algorithm>
#include <cstring>
#include <vector>

#include <omp.h>

#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

class PrepareInputCpu : public PrepareInputOp {
 public:
  PrepareInputCpu(CpuTeam team, const PrepareInputSpec& spec)
      : team_(team), spec_(spec), rows_(static_cast<std::size_t>(team.threads * spec.size * 3)) {}

  void apply(const OpContext&, const Tensor& crops, const CropRecord* records,
             const float* mean_image, const Tensor& x) override {
    const std::int64_t size = spec_.size;
    if (spec_.form.block > 1) return apply_blocks(crops, records, mean_image, x);
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < spec_.images * size; ++r)
      pixel_row(crops, records, mean_image, r, x.f32() + 3 * r * size);
  }

 private:
  // Row r of all images' rows, [size, 3].
  void pixel_row(const Tensor& crops, const CropRecord* records, const float* mean_image,
                 std::int64_t r, float* out) const {
    const std::int64_t size = spec_.size;
    const CropRecord& record = records[r / size];
    cpu::PrepareRow row{};
    row.crop = crops.u8() + 3 * r * size;
    row.size = size;
    row.mirror_crop = record.mirror;
    row.bgr = spec_.bgr;
    for (std::size_t k = 0; k < 3; ++k) {
      row.add[k] = record.colour[k];
      if (spec_.mean == MeanKind::channel) row.add[k] -= spec_.channel_mean[k];
      row.scale[k] = spec_.scale[k];
    }
    if (spec_.mean == MeanKind::centre_crop) {
      const std::int64_t edge = (spec_.mean_size - size) / 2;
      row.mean = mean_image + 3 * ((edge + r % size) * spec_.mean_size + edge);
    } else if (spec_.mean == MeanKind::same_crop) {
      row.mean = mean_image + 3 * ((record.top + r % size) * spec_.mean_size + record.left);
      row.mirror_mean = record.mirror;
    }
    team_.kernels.prepare_row(&row, out);
  }

  // A row of blocks is made of `block` rows of pixels, each cut into runs of `block` pixels.
  void apply_blocks(const Tensor& crops, const CropRecord* records, const float* mean_image,
                    const Tensor& x) {
    const InputForm& form = spec_.form;
    const std::int64_t size = spec_.size;
    const std::int64_t run = form.block * 3;  // floats of a row of pixels in a block
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < spec_.images * form.h; ++r) {
      float* const pixels = rows_.data() + omp_get_thread_num() * size * 3;
      for (std::int64_t a = 0; a < form.block; ++a) {
        float* const out = x.f32() + r * form.w * form.block * run + a * run;
        const std::int64_t y = r % form.h * form.block - form.pad + a;
        const bool inside = y >= 0 && y < size;
        if (inside) pixel_row(crops, records, mean_image, r / form.h * size + y, pixels);
        for (std::int64_t j = 0; j < form.w; ++j)
          copy_run(pixels, inside ? j * form.block - form.pad : size, out + j * form.block * run);
      }
    }
  }

  // Pixels [left, left + block) of a row, those outside it as zeros.
  void copy_run(const float* pixels, std::int64_t left, float* out) const {
    constexpr std::int64_t kUsualRun = 12;  // blocks of 4 x 4 pixels
    const std::int64_t block = spec_.form.block;
    if (left >= 0 && left + block <= spec_.size) {
      if (block * 3 == kUsualRun)
        std::memcpy(out, pixels + left * 3, kUsualRun * sizeof(float));
      else
        std::copy_n(pixels + left * 3, block * 3, out);
      return;
    }
    for (std::int64_t b = 0; b < block; ++b) {
      const bool inside = left + b >= 0 && left + b < spec_.size;
      for (std::int64_t c = 0; c < 3; ++c)
        out[b * 3 + c] = inside ? pixels[(left + b) * 3 + c] : 0.0f;
    }
  }

  CpuTeam team_;
  PrepareInputSpec spec_;
  std::vector<float> rows_;  // one row of pixels a thread
};

}  // namespace

void check_prepare_input(const PrepareInputSpec& spec) {
  const bool uses_image = spec.mean == MeanKind::centre_crop || spec.mean == MeanKind::same_crop;
  if (uses_image && spec.mean_size < spec.size)
    fail(ExitCode::usage, "The mean image is {} pixels wide, but the network's input is {}.",
         spec.mean_size, spec.size);
}

std::unique_ptr<PrepareInputOp> make_prepare_input_cpu(CpuTeam team, const PrepareInputSpec& spec) {
  check_prepare_input(spec);
  return std::make_unique<PrepareInputCpu>(team, spec);
}

}  // namespace convoy
