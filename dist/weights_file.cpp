// Gathers parameter rows over the towers and writes them as whole tensors.
#include "dist/weights_file.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <vector>

#include "core/error.h"
#include "dist/partition.h"

namespace convoy {

void save_weights(Session& session, const std::filesystem::path& path, const CheckpointInfo& info) {
  const Grid& grid = session.strategy().grid;
  if (grid.group_of_towers(session.world().rank()) != 0) return;

  std::optional<CheckpointWriter> writer;
  if (session.leader()) writer.emplace(path, info);
  bool finite = true;
  std::vector<float> part;
  std::vector<float> whole;
  for (const Parameter* parameter : session.network().parameters()) {
    part.resize(static_cast<std::size_t>(parameter->local().count()));
    session.device().copy_to_host(part.data(), parameter->value.data, part.size() * sizeof(float),
                                  session.stream());
    session.stream().synchronize();
    finite = finite && std::ranges::all_of(part, [](float v) { return std::isfinite(v); });
    // The first rank gives what all of them have.
    const auto shares = static_cast<std::size_t>(parameter->sharing.shares);
    std::vector<std::int64_t> counts(static_cast<std::size_t>(grid.towers));
    for (std::size_t i = 0; i < shares; ++i)
      counts[i] =
          channel_part(parameter->logical.n, i, shares).size() * parameter->logical.per_row();
    const auto given = static_cast<std::size_t>(
        counts[static_cast<std::size_t>(grid.tower(session.world().rank()))]);
    if (writer) whole.resize(static_cast<std::size_t>(parameter->logical.count()));
    session.towers().gather("checkpoint", std::span(part).first(given), counts, whole.data());
    if (writer) writer->add(parameter->layer, parameter->kind, parameter->logical, whole.data());
  }
  std::array<double, 1> broken{finite ? 0.0 : 1.0};
  session.towers().maximum("finite", broken);
  if (broken[0] > 0) {
    fail(ExitCode::diverged,
         "the weights are no longer finite after step {}, so no checkpoint is written; most likely "
         "the learning rate is too high",
         info.step);
  }
  if (writer) writer->finish();
}

void load_weights(Session& session, const CheckpointReader& checkpoint) {
  std::vector<float> values;
  for (const Parameter* parameter : session.network().parameters()) {
    values.resize(static_cast<std::size_t>(parameter->local().count()));
    checkpoint.read(parameter->layer, parameter->kind, parameter->logical, parameter->rows,
                    values.data());
    session.device().copy_to_device(parameter->value.data, values.data(),
                                    values.size() * sizeof(float), session.stream());
    session.stream().synchronize();
  }
  session.network().refresh_working(session.stream());
}

}  // namespace convoy
