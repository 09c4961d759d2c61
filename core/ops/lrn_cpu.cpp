// Response normalisation across maps on the CPU, limited by memory.
#include "core/error.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

class LrnCpu : public LrnOp {
 public:
  LrnCpu(CpuTeam team, const LrnSpec& spec)
      : team_(team),
        group_(spec.group),
        size_(spec.size),
        rows_(spec.x.count() / spec.group),
        parameters_{spec.alpha, spec.beta, spec.k} {}

  void forward(const OpContext&, const Tensor& x, const Tensor& y) override {
    for_rows([&](std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin * group_;
      team_.kernels.lrn_forward(x.f32() + at, y.f32() + at, end - begin, group_, size_,
                                &parameters_);
    });
  }

  void backward(const OpContext&, const Tensor& x, const Tensor& dy, const Tensor& dx) override {
    for_rows([&](std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin * group_;
      team_.kernels.lrn_backward(x.f32() + at, dy.f32() + at, dx.f32() + at, end - begin, group_,
                                 size_, &parameters_, /*mask=*/0);
    });
  }

 private:
  template <typename Body>
  void for_rows(const Body& body) const {
    for_pieces(team_.threads, rows_, std::max<std::int64_t>(1, kElementPiece / group_), body);
  }

  CpuTeam team_;
  std::int64_t group_;
  std::int64_t size_;
  std::int64_t rows_;  // pixels times groups: NHWC is [rows, group] in memory
  cpu::NormParameters parameters_;
};

}  // namespace

void check_lrn(const LrnSpec& spec) {
  if (spec.group < 1 || spec.x.c % spec.group != 0 || spec.group > cpu::kLrnMaxGroup)
    fail(ExitCode::usage,
         "Response normalisation inside groups of {} channels does not fit {} channels: the group "
         "must divide them and be at most {}.",
         spec.group, spec.x.c, cpu::kLrnMaxGroup);
  if (spec.size < 1 || spec.size % 2 == 0 || spec.size > cpu::kLrnMaxSize)
    fail(ExitCode::usage,
         "The window of response normalisation is {} maps, but must be odd and at most {}.",
         spec.size, cpu::kLrnMaxSize);
}

std::unique_ptr<LrnOp> make_lrn_cpu(CpuTeam team, const LrnSpec& spec) {
  check_lrn(spec);
  return std::make_unique<LrnCpu>(team, spec);
}

}  // namespace convoy
