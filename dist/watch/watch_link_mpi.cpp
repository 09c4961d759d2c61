// Messages of watchdogs over MPI, beside the collectives of other threads.
#include <list>
#include <utility>

#include <mpi.h>

#include "dist/mpi/mpi_check.h"
#include "dist/watch/watch_link.h"

namespace convoy {
namespace {

class MpiWatchLink : public WatchLink {
 public:
  MpiWatchLink() {
    check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm_), "MPI_Comm_dup", "the watchdogs");
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  }
  // The communicator goes with MPI: freeing it might wait for a rank that is gone.

  void send(int to, std::vector<std::byte> bytes) override {
    Sent& sent = sent_.emplace_back();
    sent.bytes = std::move(bytes);
    if (MPI_Isend(sent.bytes.data(), static_cast<int>(sent.bytes.size()), MPI_BYTE, to, 0, comm_,
                  &sent.request) != MPI_SUCCESS)
      sent_.pop_back();
  }

  std::optional<WatchMessage> receive() override {
    static_cast<void>(idle());
    int there = 0;
    MPI_Status status;
    MPI_Message message = MPI_MESSAGE_NULL;
    if (MPI_Improbe(MPI_ANY_SOURCE, 0, comm_, &there, &message, &status) != MPI_SUCCESS ||
        there == 0)
      return std::nullopt;
    int length = 0;
    MPI_Get_count(&status, MPI_BYTE, &length);
    WatchMessage received{status.MPI_SOURCE,
                          std::vector<std::byte>(static_cast<std::size_t>(length))};
    if (MPI_Mrecv(received.bytes.data(), length, MPI_BYTE, &message, MPI_STATUS_IGNORE) !=
        MPI_SUCCESS)
      return std::nullopt;
    return received;
  }

  // A request that fails is as good as lost, and its memory may still be used: it stays.
  bool idle() override {
    bool all = true;
    for (auto sent = sent_.begin(); sent != sent_.end();) {
      int done = 0;
      const int code = MPI_Test(&sent->request, &done, MPI_STATUS_IGNORE);
      if (code == MPI_SUCCESS && done == 0) all = false;
      sent = code == MPI_SUCCESS && done != 0 ? sent_.erase(sent) : std::next(sent);
    }
    return all;
  }

 private:
  struct Sent {
    std::vector<std::byte> bytes;
    MPI_Request request = MPI_REQUEST_NULL;
  };
  MPI_Comm comm_ = MPI_COMM_NULL;
  std::list<Sent> sent_;
};

}  // namespace

std::unique_ptr<WatchLink> make_mpi_watch_link() { return std::make_unique<MpiWatchLink>(); }

}  // namespace convoy
