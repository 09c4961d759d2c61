// Convolution by minimal filtering on the CPU (core/cpu/MINIMAL_FILTERING.md).
#pragma once

#include <memory>

#include "core/ops/conv.h"
#include "core/ops/operations_cpu.h"

namespace convoy {

// `spec` must fit (minimal_fits in conv.h).
std::unique_ptr<ConvOp> make_minimal_conv_cpu(CpuTeam, const ConvSpec& spec);

}  // namespace convoy
