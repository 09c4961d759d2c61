// Compares the ranks' devices and libraries before anything is computed.
#include "dist/comm/backend.h"

#include <array>

#include "core/error.h"
#include "dist/comm/nccl.h"

namespace convoy {
namespace {

// As it travels.
struct Record {
  DeviceKind kind;
  Precision precision;
  int nccl;
  std::array<char, 256> host;
  std::array<char, 64> processor;
};

std::string device_text(const RankFacts& rank) {
  return fmt::format("on {} in {}", rank.kind == DeviceKind::cuda ? "a GPU" : "the CPU",
                     name_of(rank.precision));
}

void require_one_kind(const std::vector<RankFacts>& ranks) {
  for (std::size_t i = 1; i < ranks.size(); ++i) {
    if (ranks[i].kind == ranks[0].kind && ranks[i].precision == ranks[0].precision) continue;
    fail(ExitCode::usage,
         "rank 0 ({}) would compute {}, but rank {} ({}) {}; give all ranks a --device.kind and a "
         "--device.precision that every host can honour",
         ranks[0].host, device_text(ranks[0]), i, ranks[i].host, device_text(ranks[i]));
  }
}

void require_nccl(const std::vector<RankFacts>& ranks) {
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (ranks[i].nccl == 0)
      fail(ExitCode::usage,
           "dist.backend is nccl, but the Convoy of rank {} ({}) was built without NCCL; use "
           "--dist.backend mpi",
           i, ranks[i].host);
    if (ranks[i].kind != DeviceKind::cuda)
      fail(ExitCode::usage,
           "dist.backend is nccl, but the ranks compute on CPUs, between which it cannot carry "
           "anything; use --dist.backend auto");
    if (ranks[i].nccl != ranks[0].nccl)
      fail(ExitCode::usage,
           "rank 0 ({}) has NCCL {}, but rank {} ({}) has {}; install one version on all hosts, or "
           "use --dist.backend mpi",
           ranks[0].host, nccl_version_text(ranks[0].nccl), i, ranks[i].host,
           nccl_version_text(ranks[i].nccl));
    for (std::size_t j = 0; j < i; ++j) {
      if (ranks[i].host != ranks[j].host || ranks[i].processor != ranks[j].processor) continue;
      fail(ExitCode::usage,
           "ranks {} and {} would share the GPU {} of {}, which NCCL refuses; start one rank a "
           "GPU, or use --dist.backend mpi",
           j, i, ranks[i].processor, ranks[i].host);
    }
  }
}

}  // namespace

std::vector<RankFacts> gather_facts(Communicator& everyone, const RankFacts& mine) {
  std::vector<RankFacts> all;
  for (int rank = 0; rank < everyone.size(); ++rank) {
    Record record{mine.kind, mine.precision, mine.nccl, {}, {}};
    mine.host.copy(record.host.data(), record.host.size() - 1);
    mine.processor.copy(record.processor.data(), record.processor.size() - 1);
    everyone.broadcast("facts", &record, sizeof record, rank);
    all.push_back(
        {record.kind, record.precision, record.host.data(), record.processor.data(), record.nccl});
  }
  return all;
}

Backend choose_backend(const std::string& name, const std::vector<RankFacts>& ranks) {
  if (name != "auto" && name != "nccl" && name != "mpi")
    fail(ExitCode::usage, "dist.backend is '{}'; use auto, nccl or mpi", name);
  require_one_kind(ranks);
  const bool several_gpus = ranks.size() > 1 && ranks[0].kind == DeviceKind::cuda;
  if (name == "mpi" || (name == "auto" && !several_gpus)) return Backend::mpi;
  require_nccl(ranks);
  return Backend::nccl;
}

}  // namespace convoy
