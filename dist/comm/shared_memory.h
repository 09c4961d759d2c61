// Memory of the ranks of a group on one host that each of them can address.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "dist/comm/communicator.h"

namespace convoy {

class SharedMemory {
 public:
  // One part of `bytes` (zero, page-aligned) for each rank. Collective; null on every rank where
  // the group spans hosts or the system does not let processes share memory.
  static std::unique_ptr<SharedMemory> make(Communicator& group, std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  [[nodiscard]] void* part(int rank) const { return parts_[static_cast<std::size_t>(rank)]; }

 private:
  explicit SharedMemory(std::size_t bytes) : bytes_(bytes) {}
  std::size_t bytes_;
  std::vector<void*> parts_;  // of all ranks, mapped here
};

}  // namespace convoy
