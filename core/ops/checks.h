// What operations check of their specs on every device. Each throws Error(usage).
#pragma once

#include <cstdint>

#include "core/ops/channel_parts.h"
#include "core/ops/dropout.h"
#include "core/ops/lrn.h"
#include "core/ops/pool.h"
#include "core/ops/prepare_input.h"
#include "core/ops/spatial_norm.h"

namespace convoy {

void check_lrn(const LrnSpec&);
void check_pool(const PoolSpec&);
void check_spatial_norm(const SpatialNormSpec&);
void check_dropout(const DropoutSpec&);
void check_prepare_input(const PrepareInputSpec&);
void check_channel_parts(const ChannelPartsSpec&);

// The least word w with uniform(w) >= drop (random.h).
[[nodiscard]] std::uint64_t keep_threshold(double drop);

}  // namespace convoy
