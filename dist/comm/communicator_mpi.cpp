// Collectives over MPI.
//
// All are nonblocking calls that are polled, so that a rank that does not come is noticed.
#include "dist/comm/communicator_mpi.h"

#include <chrono>
#include <cstring>
#include <exception>
#include <limits>
#include <thread>
#include <vector>

#include <mpi.h>

#include "core/error.h"
#include "dist/comm/host_staging.h"
#include "dist/comm/sliced_sums.h"
#include "dist/comm/sum_blocks.h"
#include "dist/mpi/mpi_check.h"

namespace convoy {
namespace {

constexpr std::chrono::milliseconds kNap{1};

int as_count(std::int64_t count) {
  if (count > std::numeric_limits<int>::max()) {
    fail(ExitCode::usage, "a collective of {} values is too large for MPI; use smaller buckets",
         count);
  }
  return static_cast<int>(count);
}

std::int64_t bytes_of(std::int64_t count, DType type) {
  return count * static_cast<std::int64_t>(size_of(type));
}

// Blocks are moved as they are, so that MPI need not know bf16.
MPI_Datatype raw(DType type) { return type == DType::bf16 ? MPI_UINT16_T : MPI_FLOAT; }

std::vector<int> world_ranks(MPI_Comm comm) {
  int size = 0;
  MPI_Comm_size(comm, &size);
  std::vector<int> here(static_cast<std::size_t>(size));
  for (int rank = 0; rank < size; ++rank) here[static_cast<std::size_t>(rank)] = rank;
  std::vector<int> there(here.size());
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group world = MPI_GROUP_NULL;
  MPI_Comm_group(comm, &group);
  MPI_Comm_group(MPI_COMM_WORLD, &world);
  MPI_Group_translate_ranks(group, size, here.data(), world, there.data());
  MPI_Group_free(&group);
  MPI_Group_free(&world);
  return there;
}

class MpiCommunicator : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, Device* device, const Watch& watch)
      : Communicator(watch),
        comm_(comm),
        device_(device),
        host_(device),
        world_ranks_(world_ranks(comm)) {
    if (device != nullptr) sums_ = std::make_unique<SlicedSums>(comm);
    MPI_Comm_rank(comm_, &rank_);
    std::uint64_t id = new_id(world_rank(rank_));
    check_mpi(MPI_Bcast(&id, 1, MPI_UINT64_T, 0, comm_), "MPI_Bcast", "a group of ranks");
    join(id);
  }
  // After a failure the job ends. Freeing might wait for a rank that never comes, and MPI goes on
  // with a collective that was given up.
  ~MpiCommunicator() override {
    if (std::uncaught_exceptions() != 0 || gave_up()) return;
    if (sums_) sums_->free();
    MPI_Comm_free(&comm_);
  }
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return static_cast<int>(world_ranks_.size()); }
  [[nodiscard]] int world_rank(int rank) const override {
    return world_ranks_[static_cast<std::size_t>(rank)];
  }

  void all_gather(const std::string& name, const void* part, void* all, std::int64_t values,
                  DType type, Stream& stream) override;
  void reduce_scatter(const std::string& name, const void* all, void* part, std::int64_t values,
                      DType type, Stream& stream) override;
  void reduce(const std::string& name, const void* values, void* sum, std::int64_t length,
              DType type, int root, Stream& stream) override;
  std::unique_ptr<PendingCollective> start_broadcast(const std::string& name, void* values,
                                                     std::int64_t length, DType type, int root,
                                                     Stream& stream) override;
  std::unique_ptr<PendingCollective> start_all_reduce(const std::string& name, float* values,
                                                      std::int64_t length, Stream& stream) override;

  void sum(const std::string& name, std::span<double> values) override {
    combine(name, values, MPI_SUM);
  }
  void maximum(const std::string& name, std::span<double> values) override {
    combine(name, values, MPI_MAX);
  }

  void broadcast(const std::string& name, void* data, std::size_t bytes, int root) override {
    const auto length = static_cast<std::int64_t>(bytes);
    run(enter(name, length), "MPI_Ibcast", [&](MPI_Request* request) {
      return MPI_Ibcast(data, as_count(length), MPI_BYTE, root, comm_, request);
    });
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
    run(enter(name, bytes_of(own, DType::f32)), "MPI_Igatherv", [&](MPI_Request* request) {
      return MPI_Igatherv(part.data(), as_count(own), MPI_FLOAT, all, lengths.data(), places.data(),
                          MPI_FLOAT, 0, comm_, request);
    });
  }

  void barrier(const std::string& name) override {
    run(enter(name, 0), "MPI_Ibarrier",
        [&](MPI_Request* request) { return MPI_Ibarrier(comm_, request); });
  }
  void rest(const std::string& name) override {
    const Entered collective = enter(name, 0);
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibarrier(comm_, &request), "MPI_Ibarrier", name);
    while (!test(request, collective)) std::this_thread::sleep_for(kNap);
    leave(collective);
  }

 private:
  class Pending;
  class PendingSum;

  bool test(MPI_Request& request, const Entered& collective) const {
    int done = 0;
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test", collective.name);
    return done != 0;
  }

  void finish(MPI_Request& request, const Entered& collective) {
    await(collective, [&] { return test(request, collective); });
  }

  template <typename Start>
  void run(const Entered& collective, const char* call, const Start& start) {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(start(&request), call, collective.name);
    finish(request, collective);
  }

  void combine(const std::string& name, std::span<double> values, MPI_Op operation) {
    const auto count = static_cast<std::int64_t>(values.size());
    run(enter(name, static_cast<std::int64_t>(values.size_bytes())), "MPI_Iallreduce",
        [&](MPI_Request* request) {
          return MPI_Iallreduce(MPI_IN_PLACE, values.data(), as_count(count), MPI_DOUBLE, operation,
                                comm_, request);
        });
  }

  void write_sum(const void* blocks, void* sum, std::int64_t values, DType type, Stream& stream);

  MPI_Comm comm_;
  Device* device_;
  HostStaging host_;
  std::vector<int> world_ranks_;
  int rank_ = 0;
  std::unique_ptr<SlicedSums> sums_;  // null without a device
};

void MpiCommunicator::all_gather(const std::string& name, const void* part, void* all,
                                 std::int64_t values, DType type, Stream& stream) {
  const std::int64_t bytes = bytes_of(values, type);
  const void* sent = host_.read(part, bytes, stream);
  void* received = host_.staged() ? host_.room(bytes * size()) : all;
  run(enter(name, bytes), "MPI_Iallgather", [&](MPI_Request* request) {
    return MPI_Iallgather(sent, as_count(values), raw(type), received, as_count(values), raw(type),
                          comm_, request);
  });
  host_.write(all, received, bytes * size(), stream);
}

void MpiCommunicator::reduce_scatter(const std::string& name, const void* all, void* part,
                                     std::int64_t values, DType type, Stream& stream) {
  const std::int64_t bytes = bytes_of(values, type);
  const void* sent = host_.read(all, bytes * size(), stream);
  void* received = host_.room(bytes * size());
  run(enter(name, bytes), "MPI_Ialltoall", [&](MPI_Request* request) {
    return MPI_Ialltoall(sent, as_count(values), raw(type), received, as_count(values), raw(type),
                         comm_, request);
  });
  write_sum(received, part, values, type, stream);
}

void MpiCommunicator::reduce(const std::string& name, const void* values, void* sum,
                             std::int64_t length, DType type, int root, Stream& stream) {
  const std::int64_t bytes = bytes_of(length, type);
  const void* sent = host_.read(values, bytes, stream);
  void* received = rank_ == root ? host_.room(bytes * size()) : nullptr;
  run(enter_rooted(name, bytes, root), "MPI_Igather", [&](MPI_Request* request) {
    return MPI_Igather(sent, as_count(length), raw(type), received, as_count(length), raw(type),
                       root, comm_, request);
  });
  if (rank_ == root) write_sum(received, sum, length, type, stream);
}

// The sum of a block of each rank.
void MpiCommunicator::write_sum(const void* blocks, void* sum, std::int64_t values, DType type,
                                Stream& stream) {
  const std::int64_t bytes = bytes_of(values, type);
  void* result = host_.place(sum, bytes);
  sum_blocks(blocks, static_cast<std::size_t>(size()), values, type, device_->host_threads(),
             result);
  host_.write(sum, result, bytes, stream);
}

class MpiCommunicator::Pending : public PendingCollective {
 public:
  // Has no destructor that waits: an error elsewhere would hang on a rank that never comes.
  // `staged`: host memory that stands for `values`, or empty; `writes`: what is in it then belongs
  // into `values`. start(data, request) starts the collective.
  template <typename Start>
  Pending(MpiCommunicator& comm, Entered entered, const char* call, void* values, Buffer staged,
          bool writes, const Start& start)
      : comm_(comm),
        entered_(std::move(entered)),
        values_(values),
        staged_(std::move(staged)),
        writes_(writes),
        over_(false) {
    void* data = staged_.data() != nullptr ? staged_.data() : values;
    check_mpi(start(data, &request_), call, entered_.name);
  }
  bool test() override {
    if (!over_ && comm_.test(request_, entered_)) {
      over_ = true;
      comm_.leave(entered_);
    }
    return over_ && staged_.data() == nullptr;
  }
  void wait(Stream& stream) override {
    if (!over_) comm_.finish(request_, entered_);
    over_ = true;
    if (staged_.data() == nullptr) return;
    if (writes_) comm_.host_.write(values_, staged_.data(), entered_.bytes, stream);
    comm_.host_.give_back(std::move(staged_));
  }

 private:
  MpiCommunicator& comm_;
  Entered entered_;
  void* values_;
  Buffer staged_;
  bool writes_;
  bool over_;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

std::unique_ptr<PendingCollective> MpiCommunicator::start_broadcast(const std::string& name,
                                                                    void* values,
                                                                    std::int64_t length, DType type,
                                                                    int root, Stream& stream) {
  const std::int64_t bytes = bytes_of(length, type);
  Buffer staged = host_.take_for(values, bytes, rank_ == root, stream);
  return std::make_unique<Pending>(
      *this, enter_rooted(name, bytes, root), "MPI_Ibcast", values, std::move(staged),
      rank_ != root, [&](void* data, MPI_Request* request) {
        return MPI_Ibcast(data, as_count(length), raw(type), root, comm_, request);
      });
}

class MpiCommunicator::PendingSum : public PendingCollective {
 public:
  // Has no destructor that waits, as Pending. `staged` stands for `values`, or is empty.
  PendingSum(MpiCommunicator& comm, Entered entered, float* values, std::int64_t length,
             Buffer staged)
      : comm_(comm),
        entered_(std::move(entered)),
        values_(values),
        staged_(std::move(staged)),
        room_(comm.host_.take(static_cast<std::int64_t>(comm.sums_->room_bytes(length)))) {
    float* host = staged_.data() != nullptr ? static_cast<float*>(staged_.data()) : values;
    sum_ = comm_.sums_->start(host, length, room_.data(), comm_.device_->host_threads(),
                              entered_.name);
  }
  bool test() override {
    if (sum_ && comm_.sums_->test(*sum_)) {
      comm_.leave(entered_);
      end();
    }
    return !sum_ && staged_.data() == nullptr;
  }
  void wait(Stream& stream) override {
    if (sum_) {
      comm_.await(entered_, [&] { return comm_.sums_->test(*sum_); });
      end();
    }
    if (staged_.data() == nullptr) return;
    comm_.host_.write(values_, staged_.data(), entered_.bytes, stream);
    comm_.host_.give_back(std::move(staged_));
  }

 private:
  void end() {
    sum_.reset();
    comm_.host_.give_back(std::move(room_));
  }

  MpiCommunicator& comm_;
  Entered entered_;
  float* values_;
  Buffer staged_;
  Buffer room_;
  std::unique_ptr<SlicedSums::Sum> sum_;  // null when it is over
};

std::unique_ptr<PendingCollective> MpiCommunicator::start_all_reduce(const std::string& name,
                                                                     float* values,
                                                                     std::int64_t length,
                                                                     Stream& stream) {
  const std::int64_t bytes = bytes_of(length, DType::f32);
  if (device_ == nullptr) {  // a few numbers: MPI's way has fewer messages
    return std::make_unique<Pending>(*this, enter(name, bytes), "MPI_Iallreduce", values, Buffer(),
                                     false, [&](void* data, MPI_Request* request) {
                                       return MPI_Iallreduce(MPI_IN_PLACE, data, as_count(length),
                                                             MPI_FLOAT, MPI_SUM, comm_, request);
                                     });
  }
  as_count(length);
  Buffer staged = host_.take_for(values, bytes, true, stream);
  return std::make_unique<PendingSum>(*this, enter(name, bytes), values, length, std::move(staged));
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm comm, Device* device,
                                                    const Watch& watch) {
  return std::make_unique<MpiCommunicator>(comm, device, watch);
}

}  // namespace convoy
