// Collectives over MPI, for memory that the host can address.
#include <algorithm>
#include <limits>
#include <vector>

#include <mpi.h>

#include "core/error.h"
#include "dist/communicator.h"
#include "dist/mpi_check.h"

namespace convoy {
namespace {

int as_count(std::int64_t count) {
  if (count > std::numeric_limits<int>::max()) {
    fail(ExitCode::usage, "a collective of {} values is too large for MPI; use smaller buckets",
         count);
  }
  return static_cast<int>(count);
}

std::int64_t float_bytes(std::int64_t count) {
  return count * static_cast<std::int64_t>(sizeof(float));
}

class PendingMpi : public PendingCollective {
 public:
  // Has no destructor that waits: an error elsewhere would hang on a rank that never comes.
  PendingMpi(MPI_Request request, std::string name) : request_(request), name_(std::move(name)) {}
  bool test() override {
    int done = 0;
    check_mpi(MPI_Test(&request_, &done, MPI_STATUS_IGNORE), "MPI_Test", name_);
    return done != 0;
  }
  void wait() override { check_mpi(MPI_Wait(&request_, MPI_STATUS_IGNORE), "MPI_Wait", name_); }

 private:
  MPI_Request request_;
  std::string name_;
};

class MpiCommunicator : public Communicator {
 public:
  explicit MpiCommunicator(MPI_Comm comm) : comm_(comm) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  ~MpiCommunicator() override { MPI_Comm_free(&comm_); }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void all_gather(const std::string& name, const float* part, float* all, std::int64_t values,
                  Stream& stream) override {
    stream.synchronize();
    count(name, float_bytes(values));
    check_mpi(
        MPI_Allgather(part, as_count(values), MPI_FLOAT, all, as_count(values), MPI_FLOAT, comm_),
        "MPI_Allgather", name);
  }

  void reduce_scatter(const std::string& name, const float* all, float* part, std::int64_t values,
                      Stream& stream) override {
    stream.synchronize();
    count(name, float_bytes(values));
    check_mpi(MPI_Reduce_scatter_block(all, part, as_count(values), MPI_FLOAT, MPI_SUM, comm_),
              "MPI_Reduce_scatter_block", name);
  }

  std::unique_ptr<PendingCollective> start_all_reduce(const std::string& name, float* values,
                                                      std::int64_t length,
                                                      Stream& stream) override {
    stream.synchronize();
    count(name, float_bytes(length));
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(
        MPI_Iallreduce(MPI_IN_PLACE, values, as_count(length), MPI_FLOAT, MPI_SUM, comm_, &request),
        "MPI_Iallreduce", name);
    return std::make_unique<PendingMpi>(request, name);
  }

  void sum(const std::string& name, std::span<double> values) override {
    reduce(name, values, MPI_SUM);
  }
  void maximum(const std::string& name, std::span<double> values) override {
    reduce(name, values, MPI_MAX);
  }

  void broadcast(const std::string& name, void* data, std::size_t bytes, int root) override {
    count(name, static_cast<std::int64_t>(bytes));
    check_mpi(MPI_Bcast(data, as_count(static_cast<std::int64_t>(bytes)), MPI_BYTE, root, comm_),
              "MPI_Bcast", name);
  }

  void gather(const std::string& name, std::span<const float> part,
              std::span<const std::int64_t> counts, float* all) override {
    std::vector<int> lengths;
    std::vector<int> places;
    std::int64_t place = 0;
    for (const std::int64_t length : counts) {
      lengths.push_back(as_count(length));
      places.push_back(as_count(place));
      place += length;
    }
    const auto own = static_cast<std::int64_t>(part.size());
    count(name, float_bytes(own));
    check_mpi(MPI_Gatherv(part.data(), as_count(own), MPI_FLOAT, all, lengths.data(), places.data(),
                          MPI_FLOAT, 0, comm_),
              "MPI_Gatherv", name);
  }

  void barrier(const std::string& name) override {
    count(name, 0);
    check_mpi(MPI_Barrier(comm_), "MPI_Barrier", name);
  }

 private:
  void reduce(const std::string& name, std::span<double> values, MPI_Op operation) {
    count(name, static_cast<std::int64_t>(values.size_bytes()));
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, values.data(),
                            as_count(static_cast<std::int64_t>(values.size())), MPI_DOUBLE,
                            operation, comm_),
              "MPI_Allreduce", name);
  }

  MPI_Comm comm_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm comm) {
  return std::make_unique<MpiCommunicator>(comm);
}

}  // namespace convoy
