// Copies between whole channels and channel parts on the CPU.
#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

constexpr std::int64_t kPixelPiece = 64;

class ChannelPartsCpu : public ChannelPartsOp {
 public:
  ChannelPartsCpu(CpuTeam team, const ChannelPartsSpec& spec)
      : team_(team),
        channels_(spec.whole.c),
        pixels_(spec.whole.n * spec.whole.h * spec.whole.w),
        parts_(spec.parts),
        slot_(spec.slot) {}

  void join(const OpContext&, const Tensor& parts, const Tensor& whole) override {
    const float* slot = parts.f32();
    for (const Range& part : parts_) {
      copy(slot, part.size(), whole.f32() + part.begin, channels_, part.size());
      slot += slot_;
    }
  }

  void split(const OpContext&, const Tensor& whole, const Tensor& parts) override {
    float* slot = parts.f32();
    for (const Range& part : parts_) {
      copy(whole.f32() + part.begin, channels_, slot, part.size(), part.size());
      std::fill(slot + pixels_ * part.size(), slot + slot_, 0.0f);
      slot += slot_;
    }
  }

  void extract(const OpContext&, const Tensor& whole, std::size_t index,
               const Tensor& part) override {
    const Range range = parts_.at(index);
    copy(whole.f32() + range.begin, channels_, part.f32(), range.size(), range.size());
  }

 private:
  // `count` floats of every pixel; pixels lie `from_step` and `to_step` floats apart.
  void copy(const float* from, std::int64_t from_step, float* to, std::int64_t to_step,
            std::int64_t count) const {
    if (count == 0) return;
    for_pieces(team_.threads, pixels_, kPixelPiece, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t p = begin; p < end; ++p)
        std::memcpy(to + p * to_step, from + p * from_step,
                    static_cast<std::size_t>(count) * sizeof(float));
    });
  }

  CpuTeam team_;
  std::int64_t channels_;
  std::int64_t pixels_;  // of all images
  std::vector<Range> parts_;
  std::int64_t slot_;  // floats from one part to the next
};

}  // namespace

void check_channel_parts(const ChannelPartsSpec& spec) {
  const std::int64_t pixels = spec.whole.n * spec.whole.h * spec.whole.w;
  std::int64_t covered = 0;
  for (const Range& part : spec.parts) {
    if (part.begin != covered || part.end < part.begin)
      fail(ExitCode::usage, "A channel part begins at {}, but the one before it ends at {}.",
           part.begin, covered);
    if (pixels * part.size() > spec.slot)
      fail(ExitCode::usage, "A channel part of {} values does not fit into a slot of {}.",
           pixels * part.size(), spec.slot);
    covered = part.end;
  }
  if (covered != spec.whole.c)
    fail(ExitCode::usage, "The channel parts cover {} channels of {}.", covered, spec.whole.c);
}

std::unique_ptr<ChannelPartsOp> make_channel_parts_cpu(CpuTeam team, const ChannelPartsSpec& spec) {
  check_channel_parts(spec);
  return std::make_unique<ChannelPartsCpu>(team, spec);
}

}  // namespace convoy
