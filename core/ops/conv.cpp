// Which convolutions minimal filtering can do, and how it reads its input.
#include "core/ops/conv.h"

namespace convoy {
namespace {

bool has_transforms(std::int64_t taps) { return taps == 3 || taps == 5; }

}  // namespace

std::int64_t minimal_taps(const ConvSpec& spec) {
  return (spec.kernel + spec.stride - 1) / spec.stride;
}

bool minimal_fits(const ConvSpec& spec) {
  if (!has_transforms(minimal_taps(spec))) return false;
  if (spec.stride == 1) return spec.pad_begin < spec.kernel && spec.pad_end < spec.kernel;
  return !spec.needs_dx && spec.groups == 1;
}

InputForm minimal_input_form(const ConvSpec& spec) {
  if (spec.stride == 1) return InputForm::plain(spec.x);
  const Shape y = spec.y();
  const std::int64_t taps = minimal_taps(spec);
  return {y.h + taps - 1, y.w + taps - 1, spec.x.c, spec.stride, spec.pad_begin};
}

}  // namespace convoy
