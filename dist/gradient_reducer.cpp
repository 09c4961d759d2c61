// Buckets over the network's contiguous gradients.
#include "dist/gradient_reducer.h"

#include <algorithm>
#include <chrono>

namespace convoy {
namespace {

std::vector<Range> cut(std::int64_t count, double bucket_mb) {
  const auto bytes = static_cast<std::int64_t>(bucket_mb * 1e6);
  const std::int64_t step =
      std::max<std::int64_t>(1, bytes / static_cast<std::int64_t>(sizeof(float)));
  std::vector<Range> buckets;
  for (std::int64_t begin = 0; begin < count; begin += step)
    buckets.push_back({begin, std::min(count, begin + step)});
  return buckets;
}

}  // namespace

GradientReducer::GradientReducer(Communicator& replicas, Communicator& control, Network& network,
                                 const Device& device, const DistOptions& options)
    : buckets_(cut(network.gradients().count(), options.bucket_mb)) {
  const std::int64_t floats = network.gradients().count();
  if (options.backend == "auto" && device.host_addressable())
    shared_ = SharedMemory::make(control, shared_sum_bytes(floats, buckets_.size()));
  if (shared_) {
    network.move_gradients(static_cast<float*>(shared_->part(replicas.rank())));
    sum_ = make_shared_sum(replicas, *shared_, floats, buckets_, device.host_threads());
  } else {
    sum_ = make_collective_sum(replicas, network.gradients().f32(), buckets_);
  }
}

void GradientReducer::ready(std::int64_t floats, Stream& stream) {
  for (; started_ < buckets_.size() && buckets_[started_].end <= floats; ++started_)
    sum_->start(started_, stream);
  for (std::size_t i = 0; i < started_; ++i) sum_->test(i);
}

double GradientReducer::finish(Stream& stream, const std::function<void(Range)>& done) {
  using Clock = std::chrono::steady_clock;
  ready(buckets_.back().end, stream);
  double waited_ms = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const auto start = Clock::now();
    sum_->wait(i, stream);
    waited_ms += std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    done(buckets_[i]);
  }
  started_ = 0;
  return waited_ms;
}

}  // namespace convoy
