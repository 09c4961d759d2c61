// Host memory that stands for a device's in collectives of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/device.h"

namespace convoy {

// Where the host cannot address the device's memory, values pass by pinned host memory, which is
// kept for the next collective; elsewhere they stay where they are. One collective at a time uses
// what read(), room() and place() return; take() is for those that go on beside others.
class HostStaging {
 public:
  // `device` outlives it; null: all memory is the host's.
  explicit HostStaging(Device* device)
      : device_(device), staged_(device != nullptr && !device->host_addressable()) {}

  // Host and device have memory of their own.
  [[nodiscard]] bool staged() const { return staged_; }

  // `values` where the host can read them, once the stream's work is done.
  const void* read(const void* values, std::int64_t bytes, Stream& stream);
  // Memory of the host alone.
  void* room(std::int64_t bytes);
  // Where the host writes what write() then brings to `values`.
  void* place(void* values, std::int64_t bytes);
  // Brings what the host wrote to `values`, unless it is there already, and waits for that.
  void write(void* values, const void* host, std::int64_t bytes, Stream& stream) const;

  // Memory of the host for a collective that goes on beside others, to be given back.
  Buffer take(std::int64_t bytes);
  void give_back(Buffer taken) { idle_.push_back(std::move(taken)); }
  // The same as a place for `values`, with the values in it if they are `read`, once the stream's
  // work is done. Empty where they stay where they are.
  Buffer take_for(const void* values, std::int64_t bytes, bool read, Stream& stream);

 private:
  void* at_least(Buffer& buffer, std::int64_t bytes) const;

  Device* device_;
  bool staged_;
  Buffer read_;
  Buffer room_;
  Buffer place_;
  std::vector<Buffer> idle_;
};

}  // namespace convoy
