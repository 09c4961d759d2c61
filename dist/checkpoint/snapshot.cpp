// Plans who gives which rows, and copies them.
#include "dist/checkpoint/snapshot.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/ops/parallel_cpu.h"

namespace convoy {
namespace {

constexpr std::int64_t kCopyFloats = 1 << 18;  // copied by a thread at once

// The rows of every parameter on every rank: [rank][parameter].
std::vector<std::vector<Range>> rows_of_ranks(Communicator& everyone, const Network& network) {
  const std::size_t count = network.parameters().size();
  const auto ranks = static_cast<std::size_t>(everyone.size());
  const auto own = static_cast<std::size_t>(everyone.rank());
  std::vector<double> bounds(ranks * count * 2);  // doubles carry them exactly
  for (std::size_t p = 0; p < count; ++p) {
    bounds[(own * count + p) * 2] = static_cast<double>(network.parameters()[p]->rows.begin);
    bounds[(own * count + p) * 2 + 1] = static_cast<double>(network.parameters()[p]->rows.end);
  }
  everyone.sum("rows of parameters", bounds);
  std::vector<std::vector<Range>> rows(ranks, std::vector<Range>(count));
  for (std::size_t i = 0; i < ranks * count; ++i) {
    rows[i / count][i % count] = {static_cast<std::int64_t>(bounds[2 * i]),
                                  static_cast<std::int64_t>(bounds[2 * i + 1])};
  }
  return rows;
}

struct Given {
  int rank = 0;
  Range rows;
};

// Who gives which rows of parameter `p`, in the order of rows.
std::vector<Given> givers(const std::vector<std::vector<Range>>& rows, std::size_t p,
                          const Parameter& parameter) {
  std::vector<Given> given;
  for (std::int64_t row = 0; row < parameter.logical.n;) {
    const auto holder = std::ranges::find_if(rows, [&](const std::vector<Range>& of_rank) {
      return of_rank[p].begin <= row && row < of_rank[p].end;
    });
    if (holder == rows.end()) {
      fail(ExitCode::rank_failed, "no rank holds row {} of the {} of {}", row, parameter.kind,
           parameter.layer);
    }
    given.push_back({static_cast<int>(holder - rows.begin()), {row, (*holder)[p].end}});
    row = (*holder)[p].end;
  }
  return given;
}

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
  const std::vector<std::vector<Range>> rows = rows_of_ranks(everyone, network);
  for (std::size_t p = 0; p < network.parameters().size(); ++p) {
    const Parameter& parameter = *network.parameters()[p];
    const std::vector<Given> given = givers(rows, p, parameter);
    const auto row_bytes = static_cast<std::int64_t>(sizeof(float)) * parameter.logical.per_row();
    const std::int64_t most =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(kPieceBytes) / row_bytes);
    for (std::size_t kind = 0; kind <= moments.size(); ++kind) {
      tensors_.push_back({parameter.layer, parameter.kind, parameter.logical});
      if (kind > 0) tensors_.back().kind += "_" + moments[kind - 1].suffix;
      for (const Given& part : given) {
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
