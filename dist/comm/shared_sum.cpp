// Sums in memory that the ranks of a host share.
//
// Each rank has a pair of counters per bucket in its part: steps for which its gradients are there,
// and steps for which its slice of the sum is written. Only the owner writes a counter; the others
// read it. Waiting ranks give up their core, so that more ranks than cores get on.
#include <algorithm>
#include <array>
#include <atomic>
#include <utility>
#include <vector>

#include "core/ops/parallel_cpu.h"
#include "dist/comm/gradient_sum.h"
#include "dist/comm/pairwise.h"

namespace convoy {
namespace {

struct alignas(64) Counters {
  std::atomic<std::uint64_t> arrived;
  std::atomic<std::uint64_t> written;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

std::size_t gradient_bytes(std::int64_t floats) {
  return (static_cast<std::size_t>(floats) * sizeof(float) + 63) / 64 * 64;
}

class SharedSum : public GradientSum {
 public:
  SharedSum(Communicator& replicas, SharedMemory& shared, std::int64_t floats,
            std::vector<Range> buckets, int threads)
      : replicas_(replicas),
        buckets_(std::move(buckets)),
        states_(buckets_.size()),
        threads_(threads) {
    for (int rank = 0; rank < replicas.size(); ++rank) {
      auto* const part = static_cast<std::byte*>(shared.part(rank));
      gradients_.push_back(reinterpret_cast<float*>(part));
      counters_.push_back(reinterpret_cast<Counters*>(part + gradient_bytes(floats)));
    }
  }

  void start(std::size_t bucket, Stream& stream) override {
    stream.synchronize();
    State& state = states_[bucket];
    state.entered = replicas_.enter(
        "gradients", buckets_[bucket].size() * static_cast<std::int64_t>(sizeof(float)));
    ++state.step;
    state.pending = true;
    own(bucket).arrived.store(state.step, std::memory_order_release);
  }

  bool test(std::size_t bucket) override {
    State& state = states_[bucket];
    if (!state.pending) return true;
    if (own(bucket).written.load(std::memory_order_relaxed) < state.step) {
      if (!everywhere(bucket, &Counters::arrived)) return false;
      write_slice(bucket);
      own(bucket).written.store(state.step, std::memory_order_release);
    }
    state.pending = !everywhere(bucket, &Counters::written);
    if (!state.pending) replicas_.leave(state.entered);
    return !state.pending;
  }

  // While others are late with this bucket there may be work on the next ones.
  void wait(std::size_t bucket, Stream&) override {
    if (!states_[bucket].pending) return;
    replicas_.await(states_[bucket].entered, [&] {
      if (test(bucket)) return true;
      for (std::size_t later = bucket + 1; later < buckets_.size() && states_[later].pending;
           ++later)
        test(later);
      return false;
    });
  }

 private:
  struct State {
    std::uint64_t step = 0;
    bool pending = false;
    Communicator::Entered entered;
  };

  Counters& own(std::size_t bucket) {
    return counters_[static_cast<std::size_t>(replicas_.rank())][bucket];
  }

  bool everywhere(std::size_t bucket, std::atomic<std::uint64_t> Counters::*counter) const {
    return std::ranges::all_of(counters_, [&](Counters* of_rank) {
      return (of_rank[bucket].*counter).load(std::memory_order_acquire) >= states_[bucket].step;
    });
  }

  void write_slice(std::size_t bucket) const {
    const Range& all = buckets_[bucket];
    const std::int64_t ranks = replicas_.size();
    const std::int64_t begin = all.begin + replicas_.rank() * all.size() / ranks;
    const std::int64_t end = all.begin + (replicas_.rank() + 1) * all.size() / ranks;
    for_pieces(threads_, end - begin, kSumBlock, [&](std::int64_t from, std::int64_t to) {
      std::array<float, kSumBlock> sum;
      const std::int64_t length = to - from;
      const auto set = [&](std::size_t rank, float* out) {
        std::copy_n(gradients_[rank] + begin + from, length, out);
      };
      const auto add = [&](std::size_t rank, float* out) {
        const float* more = gradients_[rank] + begin + from;
        for (std::int64_t i = 0; i < length; ++i) out[i] += more[i];
      };
      sum_pairwise(0, gradients_.size(), length, set, add, sum.data());
      for (float* gradients : gradients_)
        std::copy_n(sum.data(), to - from, gradients + begin + from);
    });
  }

  Communicator& replicas_;
  std::vector<Range> buckets_;
  std::vector<State> states_;
  int threads_;
  std::vector<float*> gradients_;    // of each rank
  std::vector<Counters*> counters_;  // [rank][bucket]
};

}  // namespace

std::size_t shared_sum_bytes(std::int64_t floats, std::size_t buckets) {
  return gradient_bytes(floats) + buckets * sizeof(Counters);
}

std::unique_ptr<GradientSum> make_shared_sum(Communicator& replicas, SharedMemory& shared,
                                             std::int64_t floats, std::vector<Range> buckets,
                                             int threads) {
  return std::make_unique<SharedSum>(replicas, shared, floats, std::move(buckets), threads);
}

}  // namespace convoy
