// A copy of all that training changes, in host memory: every tensor's value and what the solver
// keeps of it, each row on one of the ranks that hold it.
//
// Which rows a rank gives is settled once (row_owners.h); ranks that give nothing take no memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/device.h"
#include "core/solver.h"
#include "dist/comm/communicator.h"
#include "io/run/background_checkpoint.h"

namespace convoy {

class Snapshot {
 public:
  // A run of rows of one tensor, and the rank that gives it.
  struct Piece {
    std::size_t tensor = 0;  // of tensors()
    Range rows;
    int rank = 0;
    std::size_t bytes = 0;
    const float* values = nullptr;  // where this rank gives it: its copy
  };
  static constexpr std::size_t kPieceBytes = 8 << 20;  // about; at least one row

  // Takes the memory and touches it. All must outlive this. Collective.
  Snapshot(Communicator& everyone, Device& device, const Network& network, const Solver& solver);

  // Copies the present values; returns when that is done.
  void take(Stream& stream);

  [[nodiscard]] const std::vector<CheckpointTensor>& tensors() const { return tensors_; }
  // The same on every rank but for Piece::values; they cover every tensor once.
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }
  [[nodiscard]] std::size_t bytes() const { return memory_.bytes(); }  // of this rank's copy

 private:
  void plan(Communicator& everyone, const Network& network,
            const std::vector<Solver::Moment>& moments);

  Device& device_;
  std::vector<CheckpointTensor> tensors_;
  std::vector<Piece> pieces_;
  struct Copy {
    float* to = nullptr;
    const float* from = nullptr;  // device memory
    std::int64_t floats = 0;
  };
  std::vector<Copy> copies_;
  Buffer memory_;
};

}  // namespace convoy
