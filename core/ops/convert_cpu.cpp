// Conversion on the CPU, which has fp32 only: a copy.
#include <cstring>

#include "core/error.h"
#include "core/ops/operations_cpu.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

class ConvertCpu : public ConvertOp {
 public:
  explicit ConvertCpu(CpuTeam team) : team_(team) {}
  void apply(const OpContext&, const Tensor& from, const Tensor& to) override {
    if (from.type != DType::f32 || to.type != DType::f32)
      fail(ExitCode::usage, "the CPU device computes in fp32 only");
    for_pieces(team_.threads, from.count(), kElementPiece,
               [&](std::int64_t begin, std::int64_t end) {
                 std::memcpy(to.f32() + begin, from.f32() + begin,
                             static_cast<std::size_t>(end - begin) * sizeof(float));
               });
  }

 private:
  CpuTeam team_;
};

}  // namespace

std::unique_ptr<ConvertOp> make_convert_cpu(CpuTeam team) {
  return std::make_unique<ConvertCpu>(team);
}

}  // namespace convoy
