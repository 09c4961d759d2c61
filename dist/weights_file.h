// Moves a run's weights between ranks and a checkpoint of whole logical tensors.
#pragma once

#include <filesystem>

#include "dist/session.h"
#include "io/checkpoint.h"

namespace convoy {

// Collective over the towers that rank 0 belongs to, which hold every tensor; other ranks return at
// once. Rank 0 writes. Values travel tensor by tensor. Throws Error(diverged), leaving no file,
// where a weight is not finite.
void save_weights(Session& session, const std::filesystem::path& path, const CheckpointInfo& info);

// Every rank reads its own rows.
void load_weights(Session& session, const CheckpointReader& checkpoint);

}  // namespace convoy
