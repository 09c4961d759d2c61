// ReLU on the CPU.
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

class ReluCpu : public ReluOp {
 public:
  explicit ReluCpu(CpuTeam team) : team_(team) {}

  void forward(const OpContext&, const Tensor& x) override {
    for_pieces(team_.threads, x.count(), kElementPiece, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.relu_forward(x.f32() + begin, end - begin);
    });
  }

  void backward(const OpContext&, const Tensor& y, const Tensor& dy) override {
    mask_gradient(team_, y, dy);
  }

 private:
  CpuTeam team_;
};

}  // namespace

void mask_gradient(CpuTeam team, const Tensor& y, const Tensor& dy) {
  for_pieces(team.threads, dy.count(), kElementPiece, [&](std::int64_t begin, std::int64_t end) {
    team.kernels.relu_backward(y.f32() + begin, dy.f32() + begin, end - begin);
  });
}

std::unique_ptr<ReluOp> make_relu_cpu(CpuTeam team) { return std::make_unique<ReluCpu>(team); }

}  // namespace convoy
