// Brings the tensors of a checkpoint to the ranks, whatever strategy it was written under.
#pragma once

#include <filesystem>

#include "core/solver.h"
#include "dist/step/session.h"
#include "io/run/checkpoint.h"

namespace convoy {

// Every rank reads its own rows. Throws Error(bad_checkpoint) where one is missing or a value is
// not finite.
void load_weights(Session& session, const CheckpointReader& checkpoint);
// The same for what the solver keeps of every parameter.
void load_moments(Session& session, const Solver& solver, const CheckpointReader& checkpoint);

// For a net whose outputs are no numbers although its weights are. Throws Error(bad_checkpoint).
[[noreturn]] void refuse_outputs(const std::filesystem::path& checkpoint);

}  // namespace convoy
