// Byte counts that every communicator keeps, and what is said of ranks that do not come.
#include "dist/communicator.h"

#include <atomic>

#include "core/error.h"
#include "dist/nccl.h"
#include "dist/shared_memory.h"

namespace convoy {
namespace {

using Arrived = std::atomic<std::uint64_t>;
static_assert(Arrived::is_always_lock_free, "shared between processes");

Arrived& arrived(const SharedMemory& arrivals, int rank) {
  return *static_cast<Arrived*>(arrivals.part(rank));
}

}  // namespace

Communicator::Communicator() = default;
Communicator::~Communicator() = default;

void Communicator::limit_waits(double seconds) {
  wait_limit_ = seconds;
  auto arrivals = SharedMemory::make(*this, sizeof(Arrived));
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
  if (arrivals_) arrived(*arrivals_, rank()).store(entered_, std::memory_order_release);
  return {name, bytes, entered_};
}

std::string Communicator::describe(const Entered& collective) const {
  std::vector<int> ranks;
  for (int rank = 0; rank < size(); ++rank) ranks.push_back(world_rank(rank));
  return fmt::format("collective {} of {}, '{}' of {} bytes", collective.number, ranks_text(ranks),
                     collective.name, collective.bytes);
}

void Communicator::fail_late(const Entered& collective) const {
  abort_nccl();
  std::vector<int> missing;
  for (int rank = 0; arrivals_ && rank < size(); ++rank)
    if (arrived(*arrivals_, rank).load(std::memory_order_acquire) < collective.number)
      missing.push_back(world_rank(rank));
  std::string who = "its ranks share no host, so it is not known which of them is late";
  if (!missing.empty())
    who = fmt::format("{} did not come to it", ranks_text(missing));
  else if (arrivals_)
    who = "all of them came to it, but it did not end";
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
