// Collectives of GPUs over NCCL.
//
// The communicator is nonblocking: every wait polls its state and a clock, so that a rank that does
// not come is noticed. Before the error is thrown, all communicators of this process are aborted:
// memory that a stuck collective uses cannot be freed (Communicator::fail_late does so too). A
// collective is left when the host has waited for the stream behind it.
#include <deque>
#include <exception>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include <nccl.h>

#include "core/cuda/stream.h"
#include "core/error.h"
#include "dist/comm/nccl.h"
#include "dist/watch/patience.h"

#if NCCL_VERSION_CODE < NCCL_VERSION(2, 18, 0)
#error "NCCL 2.18 or later is needed"
#endif

namespace convoy {
namespace {

ncclDataType_t type_of(DType type) { return type == DType::bf16 ? ncclBfloat16 : ncclFloat32; }

// Those of this process that can still be aborted, which a stuck rank's other threads do too.
class LiveCommunicators {
 public:
  void insert(ncclComm_t comm) {
    const std::lock_guard lock(mutex_);
    all_.insert(comm);
  }
  // False where it is aborted already.
  bool erase(ncclComm_t comm) {
    const std::lock_guard lock(mutex_);
    return all_.erase(comm) > 0;
  }
  void abort() {
    std::set<ncclComm_t> all;
    {
      const std::lock_guard lock(mutex_);
      all.swap(all_);
    }
    for (ncclComm_t comm : all) ncclCommAbort(comm);
  }

 private:
  std::mutex mutex_;
  std::set<ncclComm_t> all_;
};

LiveCommunicators& live() {
  static LiveCommunicators all;
  return all;
}

class NcclCommunicator : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> control, Device& device, double wait_limit,
                   const Watch& watch)
      : Communicator(watch), control_(std::move(control)), device_(device) {
    limit_waits(wait_limit);
    std::uint64_t group = new_id(world_rank(rank()));
    control_->broadcast("nccl", &group, sizeof group, 0);
    join(group);
    last_ = begin("start of NCCL", 0);
    ncclUniqueId id{};
    if (rank() == 0) check(ncclGetUniqueId(&id));
    control_->broadcast("nccl", &id, sizeof id, 0);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    const ncclResult_t started = ncclCommInitRankConfig(&comm_, size(), id, rank(), &config);
    if (comm_ != nullptr) live().insert(comm_);
    settle(started);
    leave(last_);
    stream_ = device_.make_stream();
    ready_ = device_.make_event();
  }

  ~NcclCommunicator() override {
    if (std::uncaught_exceptions() > 0) abort_nccl();
    if (!live().erase(comm_)) return;
    ncclCommFinalize(comm_);
    Patience patience(wait_limit());
    ncclResult_t state = ncclInProgress;
    while (ncclCommGetAsyncError(comm_, &state) == ncclSuccess && state == ncclInProgress &&
           patience.lasts()) {
    }
    if (state == ncclSuccess)
      ncclCommDestroy(comm_);
    else
      ncclCommAbort(comm_);
  }
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  [[nodiscard]] int rank() const override { return control_->rank(); }
  [[nodiscard]] int size() const override { return control_->size(); }
  [[nodiscard]] int world_rank(int rank) const override { return control_->world_rank(rank); }

  void all_gather(const std::string& name, const void* part, void* all, std::int64_t values,
                  DType type, Stream& stream) override {
    queue(enter(name, values * static_cast<std::int64_t>(size_of(type))));
    settle(ncclAllGather(part, all, static_cast<std::size_t>(values), type_of(type), comm_,
                         native(stream)));
  }
  void reduce_scatter(const std::string& name, const void* all, void* part, std::int64_t values,
                      DType type, Stream& stream) override {
    queue(enter(name, values * static_cast<std::int64_t>(size_of(type))));
    settle(ncclReduceScatter(all, part, static_cast<std::size_t>(values), type_of(type), ncclSum,
                             comm_, native(stream)));
  }
  void reduce(const std::string& name, const void* values, void* sum, std::int64_t length,
              DType type, int root, Stream& stream) override {
    queue(enter_rooted(name, length * static_cast<std::int64_t>(size_of(type)), root));
    settle(ncclReduce(values, sum, static_cast<std::size_t>(length), type_of(type), ncclSum, root,
                      comm_, native(stream)));
  }
  std::unique_ptr<PendingCollective> start_broadcast(const std::string& name, void* values,
                                                     std::int64_t length, DType type, int root,
                                                     Stream& stream) override {
    queue(enter_rooted(name, length * static_cast<std::int64_t>(size_of(type)), root));
    return start(stream, [&] {
      return ncclBroadcast(values, values, static_cast<std::size_t>(length), type_of(type), root,
                           comm_, native(*stream_));
    });
  }
  std::unique_ptr<PendingCollective> start_all_reduce(const std::string& name, float* values,
                                                      std::int64_t length,
                                                      Stream& stream) override {
    queue(enter(name, length * static_cast<std::int64_t>(sizeof(float))));
    return start(stream, [&] {
      return ncclAllReduce(values, values, static_cast<std::size_t>(length), ncclFloat32, ncclSum,
                           comm_, native(*stream_));
    });
  }
  void wait(Stream& stream) override;

  void sum(const std::string& name, std::span<double> values) override {
    count(name, static_cast<std::int64_t>(values.size_bytes()));
    control_->sum(name, values);
  }
  void maximum(const std::string& name, std::span<double> values) override {
    count(name, static_cast<std::int64_t>(values.size_bytes()));
    control_->maximum(name, values);
  }
  void broadcast(const std::string& name, void* data, std::size_t bytes, int root) override {
    count(name, static_cast<std::int64_t>(bytes));
    control_->broadcast(name, data, bytes, root);
  }
  void gather(const std::string& name, std::span<const float> part,
              std::span<const std::int64_t> counts, float* all) override {
    count(name, static_cast<std::int64_t>(part.size_bytes()));
    control_->gather(name, part, counts, all);
  }
  void barrier(const std::string& name) override {
    count(name, 0);
    control_->barrier(name);
  }

 private:
  class Pending;

  // call() queues a collective on the communicator's own stream, after the work of `stream`.
  template <typename Call>
  std::unique_ptr<PendingCollective> start(Stream& stream, const Call& call);

  void check(ncclResult_t code) const {
    if (code == ncclSuccess || code == ncclInProgress) return;
    const std::string reason = ncclGetLastError(comm_);
    abort_nccl();
    fail(ExitCode::rank_failed, "NCCL failed, at the latest in {}: {} ({}); {}", describe(last_),
         ncclGetErrorString(code), reason.empty() ? "no more is known" : reason,
         "NCCL_DEBUG=INFO says more");
  }
  void check_state() const {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(comm_, &state));
    check(state);
  }

  // One that is to be put into a stream. Where the host waits for the stream of another
  // communicator only, the oldest are left when there are many.
  void queue(const Entered& collective) {
    if (open_.size() == kMostOpen) {
      leave(open_.front());
      open_.pop_front();
    }
    last_ = collective;
    open_.push_back(last_);
  }

  // A call may return before its work is in the stream; nothing may be queued behind it until then.
  void settle(ncclResult_t code) {
    check(code);
    poll(last_, [&] {
      ncclResult_t state = ncclInProgress;
      check(ncclCommGetAsyncError(comm_, &state));
      check(state);
      return state == ncclSuccess;
    });
  }

  static constexpr std::size_t kMostOpen = 256;

  std::unique_ptr<Communicator> control_;
  Device& device_;
  ncclComm_t comm_ = nullptr;
  std::unique_ptr<Stream> stream_;            // of what is started, beside the computation
  std::unique_ptr<Event> ready_;              // the values of what is started
  std::vector<std::unique_ptr<Event>> idle_;  // of what has been waited for
  Entered last_;
  std::deque<Entered> open_;  // the oldest first
};

// NCCL moves it along by itself; what remains is the order of streams.
class NcclCommunicator::Pending : public PendingCollective {
 public:
  Pending(NcclCommunicator& comm, std::unique_ptr<Event> done)
      : comm_(comm), done_(std::move(done)) {}
  bool test() override { return false; }
  void wait(Stream& stream) override {
    done_->wait_on(stream);
    comm_.idle_.push_back(std::move(done_));
  }

 private:
  NcclCommunicator& comm_;
  std::unique_ptr<Event> done_;
};

template <typename Call>
std::unique_ptr<PendingCollective> NcclCommunicator::start(Stream& stream, const Call& call) {
  ready_->record(stream);
  ready_->wait_on(*stream_);
  settle(call());
  std::unique_ptr<Event> done;
  if (idle_.empty()) {
    done = device_.make_event();
  } else {
    done = std::move(idle_.back());
    idle_.pop_back();
  }
  done->record(*stream_);
  return std::make_unique<Pending>(*this, std::move(done));
}

void NcclCommunicator::wait(Stream& stream) {
  const auto& queue = static_cast<const CudaStream&>(stream);
  poll(open_.empty() ? last_ : open_.front(), [&] {
    if (queue.done()) return true;
    check_state();
    return false;
  });
  check_state();
  for (const Entered& collective : open_) leave(collective);
  open_.clear();
}

}  // namespace

int nccl_version() {
  int version = 0;
  return ncclGetVersion(&version) == ncclSuccess ? version : 0;
}

std::vector<LibraryVersion> nccl_libraries() {
  const int found = nccl_version();
  return {
      {"NCCL", nccl_version_text(NCCL_VERSION_CODE), found > 0 ? nccl_version_text(found) : ""}};
}

void abort_nccl() { live().abort(); }

std::unique_ptr<Communicator> make_nccl_communicator(std::unique_ptr<Communicator> control,
                                                     Device& device, double wait_limit,
                                                     const Watch& watch) {
  return std::make_unique<NcclCommunicator>(std::move(control), device, wait_limit, watch);
}

}  // namespace convoy
