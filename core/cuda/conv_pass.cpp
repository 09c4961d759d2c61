// The name of a pass, under which a choice of plan is recorded.
#include "core/cuda/conv_pass.h"

#include <fmt/format.h>

namespace convoy {

std::string ConvPass::text() const {
  const char* const kinds[] = {"forward", "data", "weights"};
  return fmt::format(
      "{}{}{} x {}x{}x{}x{}/{} y {}x{}x{}x{}/{} kernel {} stride {} pad {},{} groups {} {}{} {}",
      kinds[static_cast<int>(kind)], relu ? "+relu" : "", mask ? "+mask" : "", x.n, x.h, x.w, x.c,
      x_pixel, y.n, y.h, y.w, y.c, y_pixel, kernel, stride, pad_begin, pad_end, groups,
      type == DType::bf16 ? "bf16" : "f32",
      kind == Kind::weights && gradient_type == DType::bf16 ? ">bf16" : "", name_of(precision));
}

}  // namespace convoy
