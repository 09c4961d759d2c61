// Takes checkpoints while training goes on: the ranks copy what they hold, the copies travel to
// rank 0 between steps, and a thread there writes the file.
//
// Memory, taken once: on each rank that holds something, a copy of it (its parameters, twice with
// momentum, three times with Adam's moments); on rank 0, where others send, a few pieces more.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>

#include "core/solver.h"
#include "dist/checkpoint/snapshot.h"
#include "dist/mpi/messages.h"
#include "dist/step/session.h"
#include "io/run/background_checkpoint.h"

namespace convoy {

class Checkpointer {
 public:
  // Both must outlive this. Collective.
  Checkpointer(Session& session, const Solver& solver);

  // Copies the present state and starts its way into the file `path`, which matters on rank 0.
  // No rank may be busy. Training waits for the copy only. `before_name`: called on rank 0, by the
  // thread that writes, before the file gets its name.
  void begin(const std::filesystem::path& path, const CheckpointInfo& info,
             std::function<void()> before_name);
  // Moves the one that is under way along; to be called between steps. True on rank 0, once, when
  // its file is whole. Throws on rank 0 what its thread met (io/run/background_checkpoint.h).
  bool progress();
  // This rank still has a part in the one under way.
  [[nodiscard]] bool busy() const;

  // Memory of this rank, which it takes for as long as it lives.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  // Room on rank 0 for a piece of another rank.
  struct Slot {
    enum class Use { free, arriving, writing };
    Use use = Use::free;
    std::size_t piece = 0;
    std::unique_ptr<PendingMessage> message;
    std::atomic<bool> written{false};
    Buffer memory;
  };
  static constexpr std::size_t kSlots = 4;

  void send_more();
  void receive_more();

  Session& session_;
  Snapshot snapshot_;
  std::unique_ptr<Messages> messages_;
  std::vector<std::size_t> travelling_;  // pieces that this rank sends, or, on rank 0, receives
  std::size_t next_ = 0;                 // of travelling_
  std::deque<std::unique_ptr<PendingMessage>> sent_;
  std::array<Slot, kSlots> slots_;
  // The last to be made, so that its thread ends before the memory that it reads.
  std::unique_ptr<BackgroundCheckpoint> file_;  // rank 0, while one is under way
};

}  // namespace convoy
