// The optimiser step on the CPU: one pass over each parameter's arrays.
#include <algorithm>
#include <cmath>

#include <omp.h>

#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

class UpdateCpu : public UpdateOp {
 public:
  explicit UpdateCpu(CpuTeam team) : team_(team) {}

  void expect(const UpdateSegment& s) override {
    for (const float* values : {s.w, s.v, s.s})
      for (std::int64_t r = 0; values != nullptr && r < s.rows; ++r)
        for (std::int64_t i = 0; i < s.count; i += cpu::kLineFloats)
          __builtin_prefetch(values + r * s.row + i, 1, 2);
  }

  void sgd(const OpContext&, std::span<const UpdateSegment> segments, float momentum) override {
    for_parts(segments,
              [&](const UpdateSegment& s, std::int64_t at, std::int64_t g_at, std::int64_t count) {
                team_.kernels.sgd(s.w + at, s.g + g_at, s.v + at, count, s.lr, s.decay, momentum);
              });
  }

  void adam(const OpContext&, std::span<const UpdateSegment> segments, const AdamSpec& spec,
            std::int64_t step) override {
    const double t = static_cast<double>(step);
    const double first = 1.0 - std::pow(static_cast<double>(spec.beta1), t);
    const double root = 1.0 / std::sqrt(1.0 - std::pow(static_cast<double>(spec.beta2), t));
    for_parts(segments,
              [&](const UpdateSegment& s, std::int64_t at, std::int64_t g_at, std::int64_t count) {
                team_.kernels.adam(s.w + at, s.g + g_at, s.v + at, s.s + at, count,
                                   static_cast<float>(s.lr / first), static_cast<float>(root),
                                   spec.beta1, spec.beta2, spec.epsilon);
              });
  }

 private:
  // Calls body(segment, floats into w, floats into g, count). One team for all segments: most are
  // biases, too short to be worth a team each. A thread of another operation's team works alone.
  template <typename Body>
  void for_parts(std::span<const UpdateSegment> segments, const Body& body) const {
    if (omp_get_level() > 0) {
      for (const UpdateSegment& s : segments)
        for (std::int64_t r = 0; s.lr != 0 && r < s.rows; ++r)
          body(s, r * s.row, r * s.g_row, s.count);
      return;
    }
#pragma omp parallel num_threads(team_.threads)
    for (const UpdateSegment& s : segments) {
      const std::int64_t of_row = (s.count + kElementPiece - 1) / kElementPiece;
      const std::int64_t parts = s.lr == 0 ? 0 : s.rows * of_row;
#pragma omp for schedule(static) nowait
      for (std::int64_t p = 0; p < parts; ++p) {
        const std::int64_t r = p / of_row;
        const std::int64_t at = p % of_row * kElementPiece;
        body(s, r * s.row + at, r * s.g_row + at, std::min(kElementPiece, s.count - at));
      }
    }
  }

  CpuTeam team_;
};

}  // namespace

std::unique_ptr<UpdateOp> make_update_cpu(CpuTeam team) {
  return std::make_unique<UpdateCpu>(team);
}

}  // namespace convoy
