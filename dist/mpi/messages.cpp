// Nonblocking sends and receives of MPI.
#include "dist/mpi/messages.h"

#include <exception>
#include <limits>

#include "core/error.h"
#include "dist/mpi/mpi_check.h"

namespace convoy {
namespace {

constexpr const char* kPurpose = "a message beside training";

class MpiMessage : public PendingMessage {
 public:
  explicit MpiMessage(MPI_Request request) : request_(request) {}
  bool test() override {
    int over = 0;
    check_mpi(MPI_Test(&request_, &over, MPI_STATUS_IGNORE), "MPI_Test", kPurpose);
    return over != 0;
  }

 private:
  MPI_Request request_;
};

int length(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    fail(ExitCode::usage, "a message of {} bytes is too large for MPI", bytes);
  return static_cast<int>(bytes);
}

class MpiMessages : public Messages {
 public:
  explicit MpiMessages(MPI_Comm comm) : comm_(comm) {}
  // After a failure the job ends, and freeing might wait for a rank that never comes.
  ~MpiMessages() override {
    if (std::uncaught_exceptions() == 0) MPI_Comm_free(&comm_);
  }
  MpiMessages(const MpiMessages&) = delete;
  MpiMessages& operator=(const MpiMessages&) = delete;

  std::unique_ptr<PendingMessage> send(const void* data, std::size_t bytes, int rank) override {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Isend(data, length(bytes), MPI_BYTE, rank, 0, comm_, &request), "MPI_Isend",
              kPurpose);
    return std::make_unique<MpiMessage>(request);
  }
  std::unique_ptr<PendingMessage> receive(void* data, std::size_t bytes, int rank) override {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Irecv(data, length(bytes), MPI_BYTE, rank, 0, comm_, &request), "MPI_Irecv",
              kPurpose);
    return std::make_unique<MpiMessage>(request);
  }

 private:
  MPI_Comm comm_;
};

}  // namespace

std::unique_ptr<Messages> make_mpi_messages(MPI_Comm comm) {
  return std::make_unique<MpiMessages>(comm);
}

}  // namespace convoy
