// Copies between a device and pinned memory, in the order of its stream.
#include "dist/comm/host_staging.h"

namespace convoy {

const void* HostStaging::read(const void* values, std::int64_t bytes, Stream& stream) {
  if (staged_) {
    void* host = at_least(read_, bytes);
    device_->copy_to_host(host, values, static_cast<std::size_t>(bytes), stream);
    values = host;
  }
  stream.synchronize();
  return values;
}

void* HostStaging::room(std::int64_t bytes) { return at_least(room_, bytes); }

void* HostStaging::place(void* values, std::int64_t bytes) {
  return staged_ ? at_least(place_, bytes) : values;
}

void HostStaging::write(void* values, const void* host, std::int64_t bytes, Stream& stream) const {
  if (!staged_) return;
  device_->copy_to_device(values, host, static_cast<std::size_t>(bytes), stream);
  stream.synchronize();  // the host memory is used again
}

Buffer HostStaging::take(std::int64_t bytes) {
  Buffer taken;
  if (!idle_.empty()) {
    taken = std::move(idle_.back());
    idle_.pop_back();
  }
  at_least(taken, bytes);
  return taken;
}

Buffer HostStaging::take_for(const void* values, std::int64_t bytes, bool read, Stream& stream) {
  Buffer taken;
  if (staged_) {
    taken = take(bytes);
    if (read) device_->copy_to_host(taken.data(), values, static_cast<std::size_t>(bytes), stream);
  }
  stream.synchronize();
  return taken;
}

// What has been asked for once is kept.
void* HostStaging::at_least(Buffer& buffer, std::int64_t bytes) const {
  if (buffer.bytes() < static_cast<std::size_t>(bytes))
    buffer = device_->allocate_host(static_cast<std::size_t>(bytes));
  return buffer.data();
}

}  // namespace convoy
