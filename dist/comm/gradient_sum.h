// The sum of gradients over replicas, bucket by bucket: what GradientReducer orders.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "dist/comm/communicator.h"
#include "dist/comm/shared_memory.h"

namespace convoy {

// In a step each bucket is started once, when its gradients are final on this rank, and waited for
// once. Collective: every rank starts the same buckets in the same order. The result is the same
// bits on every rank.
class GradientSum {
 public:
  virtual ~GradientSum() = default;
  virtual void start(std::size_t bucket, Stream& stream) = 0;
  // Lets a started bucket proceed; true when later work of any stream comes after its sum.
  virtual bool test(std::size_t bucket) = 0;
  // Later work of the stream comes after the sum.
  virtual void wait(std::size_t bucket, Stream& stream) = 0;
};

// By the communicator's all-reduce. `gradients` and `replicas` must outlive it.
std::unique_ptr<GradientSum> make_collective_sum(Communicator& replicas, float* gradients,
                                                 std::vector<Range> buckets);

// In memory that the replicas of one host share, where `shared` holds shared_sum_bytes(): each rank
// adds its slice of every bucket over all ranks, pairwise in the order of ranks, and writes it to
// all. Nothing is copied on the way, and two or four replicas round as one rank with all images
// does. The gradients are the first floats of each part. `threads`: of this rank, for the sums.
std::unique_ptr<GradientSum> make_shared_sum(Communicator& replicas, SharedMemory& shared,
                                             std::int64_t floats, std::vector<Range> buckets,
                                             int threads);
[[nodiscard]] std::size_t shared_sum_bytes(std::int64_t floats, std::size_t buckets);

}  // namespace convoy
