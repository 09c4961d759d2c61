// Which convolutions minimal filtering can do, and how it reads its input.
#include "core/ops/conv.h"

namespace convoy {
namespace {

bool has_transforms(std::int64_t taps) { return taps == 3 || taps == 5; }

}  // namespace

bool minimal_fits(const ConvSpec& spec) {
  if (spec.stride == 1)
    return has_transforms(spec.kernel) && spec.pad_begin < spec.kernel &&
           spec.pad_end < spec.kernel;
  return !spec.needs_dx && spec.groups == 1 &&
         has_transforms((spec.kernel + spec.stride - 1) / spec.stride);
}

InputForm minimal_input_form(const ConvSpec& spec) {
  if (spec.stride == 1) return {spec.x.h, spec.x.w, spec.x.c, 1, 0};
  const Shape y = spec.y();
  const std::int64_t taps = (spec.kernel + spec.stride - 1) / spec.stride;
  return {y.h + taps - 1, y.w + taps - 1, spec.x.c, spec.stride, spec.pad_begin};
}

}  // namespace convoy
