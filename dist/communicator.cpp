// Byte counts that every communicator keeps, and what is said of ranks that do not come.
#include "dist/communicator.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "core/error.h"
#include "dist/nccl.h"
#include "dist/shared_memory.h"

namespace convoy {
namespace {

// What a rank tells the others of its host; only it writes.
struct Arrival {
  std::atomic<std::uint64_t> entered;  // collectives
  std::atomic<std::uint64_t> polls;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

Arrival& arrival(const SharedMemory& arrivals, int rank) {
  return *static_cast<Arrival*>(arrivals.part(rank));
}

// For as long a rank must not have polled to be taken for a stopped one.
constexpr std::chrono::milliseconds kStandstill{300};
constexpr int kLooks = 30;

}  // namespace

Communicator::Communicator() = default;
Communicator::~Communicator() = default;

void Communicator::limit_waits(double seconds) {
  wait_limit_ = seconds;
  auto arrivals = SharedMemory::make(*this, sizeof(Arrival));
  arrivals_ = std::move(arrivals);
  traffic_.clear();  // what was said here is not a step's
  entered_ = 0;
}

std::int64_t Communicator::payload_bytes() const {
  std::int64_t sum = 0;
  for (const auto& [name, count] : traffic_) sum += count.payload_bytes;
  return sum;
}

void Communicator::count(const std::string& name, std::int64_t bytes) {
  TrafficCount& entry = traffic_[name];
  ++entry.calls;
  entry.payload_bytes += bytes;
}

Communicator::Entered Communicator::enter(const std::string& name, std::int64_t bytes) {
  count(name, bytes);
  ++entered_;
  if (arrivals_) arrival(*arrivals_, rank()).entered.store(entered_, std::memory_order_release);
  return {name, bytes, entered_};
}

Communicator::Entered Communicator::enter_rooted(const std::string& name, std::int64_t bytes,
                                                 int root) {
  Entered collective = enter(name, root == rank() ? bytes : 0);
  collective.bytes = bytes;
  return collective;
}

void Communicator::show_life() const {
  if (arrivals_) arrival(*arrivals_, rank()).polls.fetch_add(1, std::memory_order_relaxed);
}

std::string Communicator::describe(const Entered& collective) const {
  std::vector<int> ranks;
  for (int rank = 0; rank < size(); ++rank) ranks.push_back(world_rank(rank));
  return fmt::format("collective {} of {}, '{}' of {} bytes", collective.number, ranks_text(ranks),
                     collective.name, collective.bytes);
}

void Communicator::fail_late(const Entered& collective) const {
  abort_nccl();
  std::string who = "its ranks share no host, so it is not known which of them is late";
  if (arrivals_) {
    std::vector<int> missing;
    std::vector<std::uint64_t> polls;
    for (int rank = 0; rank < size(); ++rank) {
      const Arrival& of_rank = arrival(*arrivals_, rank);
      polls.push_back(of_rank.polls);
      if (of_rank.entered < collective.number) missing.push_back(world_rank(rank));
    }
    std::vector<int> still;
    // Others may be giving up at this moment too, and are alive.
    for (int i = 0; missing.empty() && i < kLooks; ++i) {
      std::this_thread::sleep_for(kStandstill / kLooks);
      show_life();
    }
    for (int other = 0; other < size(); ++other) {
      if (other != rank() &&
          arrival(*arrivals_, other).polls == polls[static_cast<std::size_t>(other)])
        still.push_back(world_rank(other));
    }
    who = "all of them came to it, but it did not end";
    if (!missing.empty())
      who = fmt::format("{} did not come to it", ranks_text(missing));
    else if (!still.empty())
      who = fmt::format("{} did not move it along", ranks_text(still));
  }
  fail(ExitCode::rank_failed, "{}, was not finished within {:g} seconds: {}; {}",
       describe(collective), wait_limit_, who, late_advice());
}

std::string ranks_text(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i > 0) text += i + 1 == ranks.size() ? " and " : ", ";
    text += std::to_string(ranks[i]);
  }
  return text;
}

std::string late_advice() {
  return "a process is stopped or stuck, or a host or the network failed (where reading images or "
         "writing checkpoints takes longer, raise --dist.timeout)";
}

}  // namespace convoy
