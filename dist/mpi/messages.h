// Messages from one rank to another that travel beside training, on a communicator of their own.
//
// MPI moves them inside MPI calls only: whoever started one calls test() now and then. Messages
// from one rank to another arrive in the order in which they were sent. Errors throw
// Error(rank_failed).
#pragma once

#include <cstddef>
#include <memory>

namespace convoy {

// A message that is on its way; its memory must stay until test() says that it is over.
class PendingMessage {
 public:
  virtual ~PendingMessage() = default;
  virtual bool test() = 0;
};

class Messages {
 public:
  virtual ~Messages() = default;
  // Host memory; `rank` counts in the world that made this.
  [[nodiscard]] virtual std::unique_ptr<PendingMessage> send(const void* data, std::size_t bytes,
                                                             int rank) = 0;
  [[nodiscard]] virtual std::unique_ptr<PendingMessage> receive(void* data, std::size_t bytes,
                                                                int rank) = 0;
};

}  // namespace convoy
