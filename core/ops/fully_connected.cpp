// Which fully connected layers can be made.
#include "core/ops/fully_connected.h"

#include "core/error.h"
#include "core/ops/sum_parts.h"

namespace convoy {

void check_fully_connected(const FullyConnectedSpec& spec) {
  if (spec.images < 1 || spec.in < 1 || spec.out < 1)
    fail(ExitCode::usage, "A fully connected layer from {} to {} values for {} images is empty.",
         spec.in, spec.out, spec.images);
  check_sum_parts(spec.sum_parts, spec.images);
}

}  // namespace convoy
