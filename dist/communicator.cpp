// Byte counts that every communicator keeps.
#include "dist/communicator.h"

namespace convoy {

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

}  // namespace convoy
