// Lays a reader's ring into shared memory: the crops in the first rank's part, and in each rank's
// part what it tells the others.
#include "dist/step/shared_reading.h"

#include <memory>
#include <utility>

#include "core/error.h"
#include "dist/comm/shared_memory.h"
#include "dist/watch/standing.h"

namespace convoy {
namespace {

bool is_wanted(const Device& device, const Dataset& dataset, const DataOptions& data) {
  if (data.share == "off") return false;
  if (data.share == "auto") {
    return device.host_addressable() && dataset.encoding() == Encoding::jpeg;
  }
  if (data.share != "on") {
    fail(ExitCode::usage, "data.share is '{}'; use auto, on or off", data.share);
  }
  if (!device.host_addressable()) {
    fail(ExitCode::usage,
         "data.share on cannot be honoured on a GPU, which copies images from pinned memory of its "
         "own rank; use --data.share auto");
  }
  return true;
}

std::vector<int> ranks_of(const Communicator& group) {
  std::vector<int> ranks;
  for (int rank = 0; rank < group.size(); ++rank) ranks.push_back(group.world_rank(rank));
  return ranks;
}

}  // namespace

void share_reading(Communicator& group, const Device& device, const Dataset& dataset,
                   const DataOptions& data, ReaderOptions& options) {
  if (group.size() == 1 || !is_wanted(device, dataset, data)) return;
  const auto slot_bytes =
      static_cast<std::size_t>(options.images * options.crop * options.crop * 3 + 63) / 64 * 64;
  const std::size_t ring_bytes = slot_bytes * static_cast<std::size_t>(options.ahead);
  std::shared_ptr<SharedMemory> memory =
      SharedMemory::make(group, RingShare::state_bytes + ring_bytes);
  if (!memory) {
    if (data.share == "auto") return;
    fail(ExitCode::usage,
         "data.share on needs the ranks of one replica on one host that lets processes share "
         "memory, and {} are not; use --data.share auto",
         ranks_text(ranks_of(group)));
  }

  RingShare share;
  share.index = group.rank();
  for (int rank = 0; rank < group.size(); ++rank) share.states.push_back(memory->part(rank));
  share.waited = [&group](int rank, double seconds) {
    if (group.wait_limit() == 0 || seconds < group.wait_limit()) return;
    fail(
        ExitCode::rank_failed,
        "{} did not read its part of the next batch within {:g} seconds; its process is stopped or "
        "its disk is slow (raise --dist.timeout, or read apart: --data.share off)",
        ranks_text({group.world_rank(rank)}), group.wait_limit());
  };
  options.share = std::move(share);
  options.allocate = [memory = std::move(memory), slot_bytes,
                      next = RingShare::state_bytes](std::size_t bytes) mutable -> Buffer {
    void* const slot = static_cast<std::byte*>(memory->part(0)) + next;
    next += slot_bytes;
    return {slot, bytes, [memory](void*) {}};
  };
}

}  // namespace convoy
