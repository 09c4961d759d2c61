// uint8 crops to fp32 input on the CPU, one row at a time.
#include "core/error.h"
#include "core/ops/operations_cpu.h"

namespace convoy {
namespace {

class PrepareInputCpu : public PrepareInputOp {
 public:
  PrepareInputCpu(CpuTeam team, const PrepareInputSpec& spec) : team_(team), spec_(spec) {}

  void apply(const OpContext&, const Tensor& crops, std::span<const CropRecord> records,
             const float* mean_image, const Tensor& x) override {
    const std::int64_t size = spec_.size;
#pragma omp parallel for schedule(static) num_threads(team_.threads)
    for (std::int64_t r = 0; r < spec_.images * size; ++r) {
      const CropRecord& record = records[static_cast<std::size_t>(r / size)];
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
      team_.kernels.prepare_row(&row, x.f32() + 3 * r * size);
    }
  }

 private:
  CpuTeam team_;
  PrepareInputSpec spec_;
};

}  // namespace

std::unique_ptr<PrepareInputOp> make_prepare_input_cpu(CpuTeam team, const PrepareInputSpec& spec) {
  const bool uses_image = spec.mean == MeanKind::centre_crop || spec.mean == MeanKind::same_crop;
  if (uses_image && spec.mean_size < spec.size)
    fail(ExitCode::usage, "The mean image is {} pixels wide, but the network's input is {}.",
         spec.mean_size, spec.size);
  return std::make_unique<PrepareInputCpu>(team, spec);
}

}  // namespace convoy
