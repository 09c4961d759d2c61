// Dropout on the CPU: the mask is drawn, never stored.
#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"
#include "core/random.h"

namespace convoy {
namespace {

class DropoutCpu : public DropoutOp {
 public:
  DropoutCpu(CpuTeam team, const DropoutSpec& spec)
      : team_(team), spec_(spec), threshold_(keep_threshold(spec.drop)) {}

  void apply(const OpContext&, const DropoutDraw& draw, float scale, const Tensor& x) override {
    // Where all channels are here, an image is one run of elements; otherwise each pixel is one.
    const bool whole = spec_.x.c == spec_.channels;
    const std::int64_t runs = whole ? 1 : spec_.x.h * spec_.x.w;
    const std::int64_t length = spec_.x.per_row() / runs;
    const std::int64_t pieces = (length + kElementPiece - 1) / kElementPiece;
    const std::int64_t n = spec_.x.n;
#pragma omp parallel for collapse(3) schedule(static) num_threads(team_.threads)
    for (std::int64_t image = 0; image < n; ++image)
      for (std::int64_t run = 0; run < runs; ++run)
        for (std::int64_t piece = 0; piece < pieces; ++piece) {
          const std::int64_t begin = piece * kElementPiece;
          const std::int64_t count = std::min(kElementPiece, length - begin);
          float* const values = x.f32() + (image * runs + run) * length + begin;
          const std::int64_t first = run * spec_.channels + spec_.first_channel + begin;
          const cpu::PhiloxPlace place = at(draw, image);
          if (spec_.drop == 0.5)
            team_.kernels.dropout_half(values, first, count, scale, &place);
          else
            team_.kernels.dropout(values, first, count, scale, threshold_, &place);
        }
  }

  void rescale(const OpContext&, float scale, const Tensor& x) override {
    for_pieces(team_.threads, x.count(), kElementPiece, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.scale(x.f32() + begin, scale, end - begin);
    });
  }

 private:
  // RandomSource's counter and key for one image, in the form of the kernels.
  [[nodiscard]] cpu::PhiloxPlace at(const DropoutDraw& draw, std::int64_t image) const {
    return {(static_cast<std::uint32_t>(Purpose::dropout) << 16) | spec_.layer, draw.step,
            static_cast<std::uint32_t>(draw.first_image + image),
            static_cast<std::uint32_t>(draw.seed), static_cast<std::uint32_t>(draw.seed >> 32)};
  }

  CpuTeam team_;
  DropoutSpec spec_;
  std::uint64_t threshold_;
};

}  // namespace

// uniform(w) is (w + 0.5) / 2^32; every step is exact in double.
std::uint64_t keep_threshold(double drop) {
  const double scaled = drop * 0x1p32;
  const double least = std::floor(scaled);
  return static_cast<std::uint64_t>(least) + (least + 0.5 < scaled ? 1 : 0);
}

void check_dropout(const DropoutSpec& spec) {
  if (!(spec.drop >= 0 && spec.drop < 1))
    fail(ExitCode::usage, "The dropout probability is {}, but must be in [0, 1).", spec.drop);
  if (spec.first_channel < 0 || spec.first_channel + spec.x.c > spec.channels)
    fail(ExitCode::usage, "Dropout over channels {} to {} lies outside a layer of {} channels.",
         spec.first_channel, spec.first_channel + spec.x.c, spec.channels);
}

std::unique_ptr<DropoutOp> make_dropout_cpu(CpuTeam team, const DropoutSpec& spec) {
  check_dropout(spec);
  return std::make_unique<DropoutCpu>(team, spec);
}

}  // namespace convoy
