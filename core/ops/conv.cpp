// Which convolutions can be done, which by minimal filtering, and how it reads its input.
#include "core/ops/conv.h"

#include "core/error.h"
#include "core/ops/sum_parts.h"

namespace convoy {
namespace {

bool has_transforms(std::int64_t taps) { return taps == 3 || taps == 5; }

}  // namespace

void check_conv(const ConvSpec& spec) {
  if (spec.groups < 1 || spec.x.c % spec.groups != 0 || spec.kernels % spec.groups != 0)
    fail(ExitCode::usage, "{} groups must divide {} channels and {} kernels evenly.", spec.groups,
         spec.x.c, spec.kernels);
  const Shape y = spec.y();
  if (spec.stride < 1 || spec.x.h + spec.pad_begin + spec.pad_end < spec.kernel || y.h < 1 ||
      y.w < 1 || spec.x.w + spec.pad_begin + spec.pad_end < spec.kernel)
    fail(ExitCode::usage, "Kernels of {} x {} pixels do not fit an input of {} x {}.", spec.kernel,
         spec.kernel, spec.x.h, spec.x.w);
  check_sum_parts(spec.sum_parts, spec.x.n);
}

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
