// Collectives among a group of ranks, behind one interface for MPI and NCCL.
//
// Counts bytes by the name of the caller, so that a run can show what crossed ranks and where.
// Buffers are device memory. Every call is collective over the group. Errors throw
// Error(rank_failed), also where other ranks do not come in time (limit_waits). Every collective
// stands in the rank's record (collective_record.h), where the watchdog sees it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/tensor.h"
#include "dist/watch/patience.h"

namespace convoy {

// Payload as defined in traffic.h.
struct TrafficCount {
  std::int64_t calls = 0;
  std::int64_t payload_bytes = 0;
};

// A collective that has been started.
class PendingCollective {
 public:
  virtual ~PendingCollective() = default;
  // Lets it proceed; true when done and later work of any stream comes after it.
  virtual bool test() = 0;
  // Later work of the stream comes after it. The host is held up only where the host carries it.
  virtual void wait(Stream& stream) = 0;
};

// What carries the data of a step.
enum class Backend { mpi, nccl };

class CollectiveRecord;
class Messages;
class Watchdog;

// What looks on.
struct Watch {
  CollectiveRecord& record;
  Watchdog* watchdog;  // null where the job has one rank
};

class Communicator {
 public:
  explicit Communicator(const Watch& watch) : watch_(watch) {}
  virtual ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  // The number of a rank of this group in the whole job.
  [[nodiscard]] virtual int world_rank(int rank) const = 0;

  // From now on a wait for other ranks that takes longer than so many seconds (0: for ever) throws
  // Error(rank_failed), naming the collective and the ranks that hold it up. So does a shorter one
  // while another rank of the job gives up.
  void limit_waits(double seconds);
  [[nodiscard]] double wait_limit() const { return wait_limit_; }

  // all [size x count] = every rank's `part` [count], in the order of ranks.
  // Elements are f32 or bf16. Work of the stream before the call comes before it, later work after.
  virtual void all_gather(const std::string& name, const void* part, void* all, std::int64_t count,
                          DType type, Stream& stream) = 0;
  // part [count] = this rank's block of the sum over ranks of all [size x count]. MPI adds in fp32,
  // pairwise in the order of ranks, and rounds once; NCCL in an order of its own.
  virtual void reduce_scatter(const std::string& name, const void* all, void* part,
                              std::int64_t count, DType type, Stream& stream) = 0;
  // sum [count], on rank `root` alone = the sum over ranks of values [count], added as by
  // reduce_scatter. Other ranks' `sum` is left as it is.
  virtual void reduce(const std::string& name, const void* values, void* sum, std::int64_t count,
                      DType type, int root, Stream& stream) = 0;
  // values [count] = those of rank `root`, which must not change before it is waited for.
  virtual std::unique_ptr<PendingCollective> start_broadcast(const std::string& name, void* values,
                                                             std::int64_t count, DType type,
                                                             int root, Stream& stream) = 0;
  // values [count] = sum over ranks, in place. The result is the same bits on every rank; MPI adds
  // memory of a device as reduce_scatter does, NCCL in an order of its own.
  virtual std::unique_ptr<PendingCollective> start_all_reduce(const std::string& name,
                                                              float* values, std::int64_t count,
                                                              Stream& stream) = 0;
  // values = sum or maximum over ranks of a few host numbers; blocks.
  virtual void sum(const std::string& name, std::span<double> values) = 0;
  virtual void maximum(const std::string& name, std::span<double> values) = 0;
  // Host bytes from rank `root` to all.
  virtual void broadcast(const std::string& name, void* data, std::size_t bytes, int root) = 0;
  // On rank 0, `all` = every rank's part one behind the other, rank r's of length counts[r]; other
  // ranks may pass null. Host memory.
  virtual void gather(const std::string& name, std::span<const float> part,
                      std::span<const std::int64_t> counts, float* all) = 0;
  virtual void barrier(const std::string& name) = 0;
  // A barrier for ranks that have nothing to do while others of their host compute: they sleep
  // between looks and leave the cores to them. Not for a group whose waits are limited.
  virtual void rest(const std::string& name) { barrier(name); }
  // The host waits until the stream's work is done, collectives on it included.
  virtual void wait(Stream& stream) { stream.synchronize(); }

  // Counts payload under a name: each call above does.
  void count(const std::string& name, std::int64_t bytes);
  [[nodiscard]] const std::map<std::string, TrafficCount>& traffic() const { return traffic_; }
  [[nodiscard]] std::int64_t payload_bytes() const;  // over all names

  // A collective of this rank: the how manyeth of its group.
  struct Entered {
    std::string name;
    std::int64_t bytes = 0;
    std::uint64_t number = 0;
    std::uint64_t sequence = 0;  // in the rank's record
  };
  // For collectives that are made beside this class, and within it. Counts the payload, and shows
  // the other ranks that this one has come to it.
  [[nodiscard]] Entered enter(const std::string& name, std::int64_t bytes);
  void leave(const Entered& collective);
  // Polls until `done`, within the limit, and leaves.
  template <typename Done>
  void await(const Entered& collective, const Done& done) {
    poll(collective, done);
    leave(collective);
  }

 protected:
  // To be called once by a class that knows its ranks; `id` is the same on all of them.
  void join(std::uint64_t id);
  // An id for a group whose first rank calls this; never given twice in a job.
  [[nodiscard]] static std::uint64_t new_id(int world_rank);
  // As enter(), for what is payload of rank `root` alone.
  [[nodiscard]] Entered enter_rooted(const std::string& name, std::int64_t bytes, int root);
  // As enter(), but not counted: it moves nothing for a caller.
  [[nodiscard]] Entered begin(const std::string& name, std::int64_t bytes);
  // As await(), but the collective goes on.
  template <typename Done>
  void poll(const Entered& collective, const Done& done) {
    if (done()) return;
    const Waiting waiting(*this, collective);
    Patience patience(wait_limit_);
    while (!done())
      if (!patience.lasts() || given_up_elsewhere()) fail_late(collective, patience.waited());
  }
  [[nodiscard]] const Watch& watch() const { return watch_; }
  [[nodiscard]] bool gave_up() const { return gave_up_; }
  // "collective 12 of ranks 0 and 1, 'exchange-fc6' of 4096 bytes"
  [[nodiscard]] std::string describe(const Entered& collective) const;

 private:
  // Shows that this rank does nothing but wait.
  class Waiting {
   public:
    Waiting(const Communicator& group, const Entered& collective);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    const Communicator& group_;
    std::uint64_t sequence_;
  };
  [[nodiscard]] bool given_up_elsewhere() const;
  // Throws Error(rank_failed): the collective was not finished within the limit.
  [[noreturn]] void fail_late(const Entered& collective, double waited);

 private:
  std::map<std::string, TrafficCount> traffic_;
  Watch watch_;
  std::size_t group_ = 0;  // in the record
  std::string ranks_;      // "ranks 0 and 1"
  std::uint64_t entered_ = 0;
  double wait_limit_ = 0;
  bool gave_up_ = false;
};

// This process's place in the job. Starts MPI and ends it. There is one, made by main().
//
// With several ranks a watchdog (watchdog.h) keeps contact with the others from beginning to end,
// on a thread of its own.
class World {
 public:
  // Refuses, with Error(usage), a scheduler that started several tasks of which each is rank 0
  // of 1, and an MPI library that several threads cannot use at a time.
  World(int* argc, char*** argv);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  [[nodiscard]] int local_ranks() const;  // ranks of this job on this host
  [[nodiscard]] int local_rank() const;   // this one among them
  [[nodiscard]] const std::string& host() const;
  // Ranks that share a colour form a group, ordered by rank. Collective. The first is for host
  // numbers; the second carries memory of the device too, and limits waits to so many seconds.
  std::unique_ptr<Communicator> split(int colour);
  std::unique_ptr<Communicator> split(int colour, Device& device, Backend backend,
                                      double wait_limit);
  // A group as a world of its own in which a strategy can run. Must not outlive this one.
  std::unique_ptr<World> part(int colour);
  // What this rank does, for the other ranks and for those who look for the reason of a failure.
  [[nodiscard]] CollectiveRecord& record();
  // From now on this process ends with a sentence for `say`, and the job with it, where its own
  // thread no longer can (sentinel.h); a rank that waits notices when another gives up.
  void end_when_stuck(std::function<void(const std::string&)> say);
  // For as long a rank that gives up lets the others say what they wait in.
  [[nodiscard]] std::chrono::milliseconds last_words_time() const;
  // Messages among all ranks of this world (dist/mpi/messages.h). Collective.
  std::unique_ptr<Messages> messages();
  // Ends every rank of the job with this exit code; does not return.
  [[noreturn]] void abort(int exit_code);

 private:
  struct State;
  explicit World(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace convoy
