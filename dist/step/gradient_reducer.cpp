// Buckets over the network's contiguous gradients.
#include "dist/step/gradient_reducer.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace convoy {
namespace {

std::vector<Range> cut(const Range& floats, double bucket_mb) {
  const auto bytes = static_cast<std::int64_t>(bucket_mb * 1e6);
  const std::int64_t step =
      std::max<std::int64_t>(1, bytes / static_cast<std::int64_t>(sizeof(float)));
  std::vector<Range> buckets;
  for (std::int64_t begin = floats.begin; begin < floats.end; begin += step)
    buckets.push_back({begin, std::min(floats.end, begin + step)});
  return buckets;
}

}  // namespace

GradientReducer::GradientReducer(Communicator& replicas, Communicator& control, Network& network,
                                 Range floats, const Device& device, const DistOptions& options)
    : buckets_(cut(floats, options.bucket_mb)) {
  if (options.backend == "auto" && device.host_addressable()) {
    // Ranks may have unlike numbers of gradients in front of those that are summed; in their parts
    // of the memory what is summed must begin at the same place.
    std::array<double, 1> before{static_cast<double>(floats.begin)};
    control.maximum("gradients", before);
    const std::int64_t gap = static_cast<std::int64_t>(before[0]) - floats.begin;
    const std::int64_t count = gap + network.gradients().count();
    shared_ = SharedMemory::make(control, shared_sum_bytes(count, buckets_.size()));
    if (shared_) {
      std::vector<Range> places = buckets_;
      for (Range& bucket : places) bucket = {gap + bucket.begin, gap + bucket.end};
      network.move_gradients(static_cast<float*>(shared_->part(replicas.rank())) + gap);
      sum_ = make_shared_sum(replicas, *shared_, count, places, device.host_threads());
      return;
    }
  }
  sum_ = make_collective_sum(replicas, network.gradients().f32(), buckets_);
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
