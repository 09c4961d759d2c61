// Element-wise sum on the CPU.
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

class AddCpu : public AddOp {
 public:
  explicit AddCpu(CpuTeam team) : team_(team) {}

  void apply(const OpContext&, const Tensor& x, const Tensor& y) override {
    for_pieces(team_.threads, x.count(), kElementPiece, [&](std::int64_t begin, std::int64_t end) {
      team_.kernels.add(x.f32() + begin, y.f32() + begin, end - begin);
    });
  }

 private:
  CpuTeam team_;
};

}  // namespace

std::unique_ptr<AddOp> make_add_cpu(CpuTeam team) { return std::make_unique<AddCpu>(team); }

}  // namespace convoy
