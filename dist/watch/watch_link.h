// How watchdogs of ranks reach each other.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace convoy {

struct WatchMessage {
  int from = 0;
  std::vector<std::byte> bytes;
};

// Never waits and never throws: what cannot be sent is lost, as to a host that is gone. Used by one
// thread.
class WatchLink {
 public:
  virtual ~WatchLink() = default;
  virtual void send(int to, std::vector<std::byte> bytes) = 0;
  [[nodiscard]] virtual std::optional<WatchMessage> receive() = 0;
  // All that was sent is on its way.
  [[nodiscard]] virtual bool idle() = 0;
};

// Over a communicator of its own with all ranks of the job. Collective.
[[nodiscard]] std::unique_ptr<WatchLink> make_mpi_watch_link();

}  // namespace convoy
