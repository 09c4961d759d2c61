// Plans who gives which rows, and copies them.
#include "dist/checkpoint/snapshot.h"

#include <algorithm>
#include <cstring>

#include "core/ops/parallel_cpu.h"
#include "dist/checkpoint/row_owners.h"

namespace convoy {
namespace {

constexpr std::int64_t kCopyFloats = 1 << 18;  // copied by a thread at once

}  // namespace

Snapshot::Snapshot(Communicator& everyone, Device& device, const Network& network,
                   const Solver& solver)
    : device_(device) {
  const std::vector<Solver::Moment> moments = solver.moments();
  const std::size_t kinds = 1 + moments.size();
  plan(everyone, network, moments);

  std::size_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.rank == everyone.rank() ? piece.bytes : 0;
  if (bytes == 0) return;
  memory_ = device.allocate_host(bytes);
  std::memset(memory_.data(), 0, bytes);  // no page fault while training waits
  auto* place = static_cast<float*>(memory_.data());
  for (Piece& piece : pieces_) {
    if (piece.rank != everyone.rank()) continue;
    const std::size_t kind = piece.tensor % kinds;
    const Parameter& parameter = *network.parameters()[piece.tensor / kinds];
    const float* from = parameter.value.f32();
    if (kind > 0) from = moments[kind - 1].values + (from - network.values().f32());
    from += (piece.rows.begin - parameter.rows.begin) * parameter.logical.per_row();
    const auto floats = static_cast<std::int64_t>(piece.bytes / sizeof(float));
    copies_.push_back({place, from, floats});
    piece.values = place;
    place += floats;
  }
}

// The tensors of a parameter stand side by side: its value, then each moment.
void Snapshot::plan(Communicator& everyone, const Network& network,
                    const std::vector<Solver::Moment>& moments) {
  const std::vector<std::vector<OwnedRows>> owners = row_owners(everyone, network);
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const Parameter& parameter = *network.parameters()[p];
    const auto row_bytes = static_cast<std::int64_t>(sizeof(float)) * parameter.logical.per_row();
    const std::int64_t most =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(kPieceBytes) / row_bytes);
    for (std::size_t kind = 0; kind <= moments.size(); ++kind) {
      tensors_.push_back({parameter.layer, parameter.kind, parameter.logical});
      if (kind > 0) tensors_.back().kind += "_" + moments[kind - 1].suffix;
      for (const OwnedRows& part : owners[p]) {
        for (std::int64_t row = part.rows.begin; row < part.rows.end; row += most) {
          const Range some{row, std::min(row + most, part.rows.end)};
          pieces_.push_back({tensors_.size() - 1, some, part.rank,
                             static_cast<std::size_t>(some.size() * row_bytes)});
        }
      }
    }
  }
}

void Snapshot::take(Stream& stream) {
  for (const Copy& copy : copies_) {
    if (device_.host_addressable()) {
      for_pieces(device_.host_threads(), copy.floats, kCopyFloats,
                 [&](std::int64_t begin, std::int64_t end) {
                   std::memcpy(copy.to + begin, copy.from + begin,
                               static_cast<std::size_t>(end - begin) * sizeof(float));
                 });
    } else {
      device_.copy_to_host(copy.to, copy.from,
                           static_cast<std::size_t>(copy.floats) * sizeof(float), stream);
    }
  }
  stream.synchronize();
}

}  // namespace convoy
