// Sums gradients over replicas in buckets, each started as soon as backward has finished it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/net/network.h"
#include "dist/comm/communicator.h"
#include "dist/comm/gradient_sum.h"
#include "dist/comm/shared_memory.h"
#include "dist/job.h"

namespace convoy {

class GradientReducer {
 public:
  // Cuts `floats` of the network's gradients, which lie in the order of readiness, into buckets.
  // Replicas of
  // one host share their gradients' memory unless dist.backend says otherwise; the network's
  // gradients are moved there. `control` has the same ranks as `replicas` and carries what is said
  // before the first step; there are at least two. `replicas` and `network` must outlive this.
  // Collective.
  GradientReducer(Communicator& replicas, Communicator& control, Network& network, Range floats,
                  const Device& device, const DistOptions& options);

  // The first `floats` gradients are final on this rank: starts what is complete, and lets started
  // collectives proceed (Open MPI moves nonblocking ones inside MPI calls only).
  void ready(std::int64_t floats, Stream& stream);

  // Orders later work of the stream behind bucket after bucket; `done` gets each range of gradients
  // in order, so that its update can run while later buckets are still on their way. Returns the ms
  // that the host spent waiting.
  double finish(Stream& stream, const std::function<void(Range)>& done);

 private:
  std::vector<Range> buckets_;
  std::unique_ptr<SharedMemory> shared_;  // null where sums go through the communicator
  std::unique_ptr<GradientSum> sum_;
  std::size_t started_ = 0;
};

}  // namespace convoy
