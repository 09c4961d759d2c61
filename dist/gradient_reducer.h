// Sums gradients over replicas in buckets, each started as soon as backward has finished it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/net/network.h"
#include "dist/communicator.h"

namespace convoy {

class GradientReducer {
 public:
  // Cuts the network's gradients, which lie in the order of readiness, into buckets of
  // `bucket_bytes`. `replicas` and `network` must outlive this.
  GradientReducer(Communicator& replicas, const Network& network, std::int64_t bucket_bytes);

  // The first `floats` gradients are final on this rank: starts what is complete, and lets started
  // collectives proceed (Open MPI moves nonblocking ones inside MPI calls only).
  void ready(std::int64_t floats, Stream& stream);

  // Waits for bucket after bucket; `done` gets each finished range of gradients, in order, so that
  // its update can run while later buckets are still on their way. Returns the ms spent waiting.
  double finish(Stream& stream, const std::function<void(Range)>& done);

 private:
  struct Bucket {
    Range floats;
    std::unique_ptr<PendingCollective> pending;
  };
  Communicator& replicas_;
  float* gradients_;
  std::vector<Bucket> buckets_;
  std::size_t started_ = 0;
};

}  // namespace convoy
