// What every communicator keeps: byte counts, the record of its collectives, and what is said of
// ranks that do not come.
#include "dist/comm/communicator.h"

#include <atomic>
#include <exception>

#include "core/error.h"
#include "dist/comm/nccl.h"
#include "dist/watch/collective_record.h"
#include "dist/watch/watchdog.h"

namespace convoy {
namespace {

// What may be the matter when other ranks do not come, and what helps.
constexpr const char* kAdvice =
    "a process is stopped or stuck, or a host or the network failed (where reading images or "
    "writing checkpoints takes longer, raise --dist.timeout)";

}  // namespace

// After a failure the record still says how far this rank was.
Communicator::~Communicator() {
  if (std::uncaught_exceptions() == 0) watch_.record.remove_group(group_);
}

std::uint64_t Communicator::new_id(int world_rank) {
  static std::atomic<std::uint64_t> made = 0;
  return static_cast<std::uint64_t>(world_rank) << 32 | ++made;
}

void Communicator::join(std::uint64_t id) {
  std::vector<int> ranks;
  for (int rank = 0; rank < size(); ++rank) ranks.push_back(world_rank(rank));
  ranks_ = ranks_text(ranks);
  group_ = watch_.record.add_group(id, ranks_);
}

void Communicator::limit_waits(double seconds) {
  wait_limit_ = seconds;
  if (watch_.watchdog != nullptr) watch_.watchdog->set_limit(seconds);
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
  return begin(name, bytes);
}

Communicator::Entered Communicator::enter_rooted(const std::string& name, std::int64_t bytes,
                                                 int root) {
  count(name, root == rank() ? bytes : 0);
  return begin(name, bytes);
}

Communicator::Entered Communicator::begin(const std::string& name, std::int64_t bytes) {
  ++entered_;
  return {name, bytes, entered_, watch_.record.enter(group_, entered_, name, bytes, wait_limit_)};
}

void Communicator::leave(const Entered& collective) {
  watch_.record.leave(collective.sequence, group_, collective.number);
}

Communicator::Waiting::Waiting(const Communicator& group, const Entered& collective)
    : group_(group), sequence_(collective.sequence) {
  group_.watch_.record.wait(sequence_, true);
}

Communicator::Waiting::~Waiting() {
  if (!group_.gave_up_) group_.watch_.record.wait(sequence_, false);
}

std::string Communicator::describe(const Entered& collective) const {
  return text_of({.sequence = collective.sequence,
                  .number = collective.number,
                  .bytes = collective.bytes,
                  .name = collective.name,
                  .ranks = ranks_});
}

bool Communicator::given_up_elsewhere() const {
  return wait_limit_ > 0 && watch_.watchdog != nullptr && watch_.watchdog->ends_job();
}

void Communicator::fail_late(const Entered& collective, double waited) {
  const std::string at = at_text(watch_.record.standing());
  const std::string who =
      watch_.watchdog == nullptr ? "it has no other rank" : watch_.watchdog->explain();
  gave_up_ = true;
  watch_.record.give_up(collective.sequence);
  abort_nccl();
  const bool own = waited >= wait_limit_;
  fail(ExitCode::rank_failed, "{} ({}), was not finished {}: {}; {}", describe(collective), at,
       own ? fmt::format("within {:g} seconds", wait_limit_)
           : fmt::format("after {:.1f} seconds, when another rank gave up", waited),
       who, kAdvice);
}

}  // namespace convoy
