// Buckets over the network's contiguous gradients.
#include "dist/gradient_reducer.h"

#include <algorithm>
#include <chrono>

namespace convoy {

GradientReducer::GradientReducer(Communicator& replicas, const Network& network,
                                 std::int64_t bucket_bytes)
    : replicas_(replicas), gradients_(network.gradients().f32()) {
  const std::int64_t count = network.gradients().count();
  const std::int64_t step =
      std::max<std::int64_t>(1, bucket_bytes / static_cast<std::int64_t>(sizeof(float)));
  for (std::int64_t begin = 0; begin < count; begin += step) {
    buckets_.push_back({{begin, std::min(count, begin + step)}, nullptr});
  }
}

void GradientReducer::ready(std::int64_t floats, Stream& stream) {
  if (replicas_.size() == 1) return;
  for (; started_ < buckets_.size() && buckets_[started_].floats.end <= floats; ++started_) {
    Bucket& bucket = buckets_[started_];
    bucket.pending = replicas_.start_all_reduce("gradients", gradients_ + bucket.floats.begin,
                                                bucket.floats.size(), stream);
  }
  for (std::size_t i = 0; i < started_; ++i) {
    if (buckets_[i].pending && buckets_[i].pending->test()) buckets_[i].pending.reset();
  }
}

double GradientReducer::finish(Stream& stream, const std::function<void(Range)>& done) {
  using Clock = std::chrono::steady_clock;
  ready(buckets_.back().floats.end, stream);
  double waited_ms = 0;
  for (Bucket& bucket : buckets_) {
    if (bucket.pending) {
      const auto start = Clock::now();
      bucket.pending->wait();
      bucket.pending.reset();
      waited_ms += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    }
    done(bucket.floats);
  }
  started_ = 0;
  return waited_ms;
}

}  // namespace convoy
