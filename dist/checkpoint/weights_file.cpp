// Each rank reads its own rows of every tensor.
#include "dist/checkpoint/weights_file.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"

namespace convoy {
namespace {

// Rows of `parameter` in the tensor `kind` of its layer, into device memory.
void load(Session& session, const CheckpointReader& checkpoint, const Parameter& parameter,
          const std::string& kind, float* to) {
  std::vector<float> values(static_cast<std::size_t>(parameter.local().count()));
  checkpoint.read(parameter.layer, kind, parameter.logical, parameter.rows, values.data());
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
    fail(ExitCode::bad_checkpoint,
         "{} holds NaN or infinity in {} of {}: the run had diverged when it was written; use an "
         "earlier checkpoint",
         checkpoint.path().string(), kind, parameter.layer);
  }
  session.device().copy_to_device(to, values.data(), values.size() * sizeof(float),
                                  session.stream());
  session.stream().synchronize();
}

}  // namespace

void load_weights(Session& session, const CheckpointReader& checkpoint) {
  for (const Parameter* parameter : session.network().parameters())
    load(session, checkpoint, *parameter, parameter->kind, parameter->value.f32());
  session.network().refresh_working(session.stream());
}

void load_moments(Session& session, const Solver& solver, const CheckpointReader& checkpoint) {
  const float* values = session.network().values().f32();
  for (const Solver::Moment& moment : solver.moments()) {
    for (const Parameter* parameter : session.network().parameters()) {
      load(session, checkpoint, *parameter, parameter->kind + "_" + moment.suffix,
           moment.values + (parameter->value.f32() - values));
    }
  }
}

void refuse_outputs(const std::filesystem::path& checkpoint) {
  fail(ExitCode::bad_checkpoint,
       "the net of {} makes NaN or infinity of an image: its weights, or the mean that it "
       "subtracts, are too large or no numbers; use an earlier checkpoint",
       checkpoint.string());
}

}  // namespace convoy
