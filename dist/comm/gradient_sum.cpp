// Sums by the communicator.
#include "dist/comm/gradient_sum.h"

#include <utility>

namespace convoy {
namespace {

class CollectiveSum : public GradientSum {
 public:
  CollectiveSum(Communicator& replicas, float* gradients, std::vector<Range> buckets)
      : replicas_(replicas),
        gradients_(gradients),
        buckets_(std::move(buckets)),
        pending_(buckets_.size()) {}

  void start(std::size_t bucket, Stream& stream) override {
    const Range& floats = buckets_[bucket];
    pending_[bucket] =
        replicas_.start_all_reduce("gradients", gradients_ + floats.begin, floats.size(), stream);
  }
  bool test(std::size_t bucket) override {
    if (pending_[bucket] && pending_[bucket]->test()) pending_[bucket].reset();
    return !pending_[bucket];
  }
  void wait(std::size_t bucket, Stream& stream) override {
    if (pending_[bucket]) pending_[bucket]->wait(stream);
    pending_[bucket].reset();
  }

 private:
  Communicator& replicas_;
  float* gradients_;
  std::vector<Range> buckets_;
  std::vector<std::unique_ptr<PendingCollective>> pending_;
};

}  // namespace

std::unique_ptr<GradientSum> make_collective_sum(Communicator& replicas, float* gradients,
                                                 std::vector<Range> buckets) {
  return std::make_unique<CollectiveSum>(replicas, gradients, std::move(buckets));
}

}  // namespace convoy
