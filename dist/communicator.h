// Collectives among a group of ranks, behind one interface for MPI (and NCCL later).
//
// Counts bytes by the name of the caller, so that a run can show what crossed ranks and where.
// Buffers are device memory; all values are fp32 unless said otherwise. Every call is collective
// over the group. Errors throw Error(rank_failed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "core/device.h"

namespace convoy {

// Payload as defined in traffic.h.
struct TrafficCount {
  std::int64_t calls = 0;
  std::int64_t payload_bytes = 0;
};

// A collective that has been started; `test` lets it proceed, `wait` finishes it.
class PendingCollective {
 public:
  virtual ~PendingCollective() = default;
  virtual bool test() = 0;  // true when done
  virtual void wait() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  // all [size x count] = every rank's `part` [count], in the order of ranks.
  virtual void all_gather(const std::string& name, const float* part, float* all,
                          std::int64_t count, Stream& stream) = 0;
  // part [count] = this rank's block of the sum over ranks of all [size x count].
  virtual void reduce_scatter(const std::string& name, const float* all, float* part,
                              std::int64_t count, Stream& stream) = 0;
  // values [count] = sum over ranks, in place. The result is the same bits on every rank.
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

  // Counts payload under a name: each call above does, and collectives made beside this class do.
  void count(const std::string& name, std::int64_t bytes);
  [[nodiscard]] const std::map<std::string, TrafficCount>& traffic() const { return traffic_; }
  [[nodiscard]] std::int64_t payload_bytes() const;  // over all names

 private:
  std::map<std::string, TrafficCount> traffic_;
};

// This process's place in the job. Starts MPI and ends it. There is one, made by main().
class World {
 public:
  // Refuses, with Error(usage), a scheduler that started several tasks of which each is rank 0
  // of 1.
  World(int* argc, char*** argv);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  [[nodiscard]] int local_ranks() const;  // ranks of this job on this host
  [[nodiscard]] int local_rank() const;   // this one among them
  [[nodiscard]] const std::string& host() const;
  // Ranks that share a colour form a group, ordered by rank. Collective.
  std::unique_ptr<Communicator> split(int colour);
  // The same, as a world of its own in which a strategy can run. Must not outlive this one.
  std::unique_ptr<World> part(int colour);
  // Ends every rank of the job with this exit code; does not return.
  [[noreturn]] void abort(int exit_code);

 private:
  struct State;
  explicit World(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace convoy
