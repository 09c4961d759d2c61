// Which backend carries a step's data, and whether the ranks fit together for it.
#pragma once

#include <string>
#include <vector>

#include "core/device.h"
#include "dist/comm/communicator.h"

namespace convoy {

// What ranks must agree on, or must not share.
struct RankFacts {
  DeviceKind kind = DeviceKind::cpu;
  Precision precision = Precision::fp32;
  std::string host;
  std::string processor;  // Device::identity()
  int nccl = 0;           // nccl_version()
};

// Of every rank, in order. Collective.
[[nodiscard]] std::vector<RankFacts> gather_facts(Communicator& everyone, const RankFacts& mine);

// dist.backend auto is NCCL between several GPUs, else MPI. Throws Error(usage) where the backend
// cannot carry the ranks' data: GPUs and CPUs or several precisions in one job, NCCL on CPUs or in
// a build without it, and with NCCL a GPU of two ranks or different versions. The same on every
// rank.
[[nodiscard]] Backend choose_backend(const std::string& name, const std::vector<RankFacts>& ranks);

}  // namespace convoy
