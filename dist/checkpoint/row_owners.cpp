// Tells all ranks what each holds, and settles it.
#include "dist/checkpoint/row_owners.h"

#include <algorithm>

#include "core/error.h"

namespace convoy {
namespace {

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

std::vector<OwnedRows> owners(const std::vector<std::vector<Range>>& rows, std::size_t p,
                              const Parameter& parameter) {
  std::vector<OwnedRows> owned;
  for (std::int64_t row = 0; row < parameter.logical.n;) {
    const auto holder = std::ranges::find_if(rows, [&](const std::vector<Range>& of_rank) {
      return of_rank[p].begin <= row && row < of_rank[p].end;
    });
    if (holder == rows.end()) {
      fail(ExitCode::rank_failed, "no rank holds row {} of the {} of {}", row, parameter.kind,
           parameter.layer);
    }
    owned.push_back({static_cast<int>(holder - rows.begin()), {row, (*holder)[p].end}});
    row = (*holder)[p].end;
  }
  return owned;
}

}  // namespace

std::vector<std::vector<OwnedRows>> row_owners(Communicator& everyone, const Network& network) {
  const std::vector<std::vector<Range>> rows = rows_of_ranks(everyone, network);
  std::vector<std::vector<OwnedRows>> all;
  for (std::size_t p = 0; p < network.parameters().size(); ++p)
    all.push_back(owners(rows, p, *network.parameters()[p]));
  return all;
}

}  // namespace convoy
