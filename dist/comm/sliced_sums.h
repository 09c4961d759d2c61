// All-reduces over MPI: every rank adds up a slice of its own over all ranks, and sends it to all.
//
// Each rank sends 2 (n-1)/n of the values, as in a ring, with two latencies instead of 2 (n-1);
// Open MPI's own nonblocking all-reduce in place goes up and down a tree, whose root sends the
// values log2 n times. Added in fp32, pairwise in the order of ranks: the same bits on every rank,
// and those of replicas that share one host's memory (gradient_sum.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <mpi.h>

namespace convoy {

class SlicedSums {
 public:
  // One all-reduce under way.
  class Sum;

  // `slices` carries the way to the sums, a duplicate of it the way back; must outlive this.
  // Collective.
  explicit SlicedSums(MPI_Comm slices);
  SlicedSums(const SlicedSums&) = delete;
  SlicedSums& operator=(const SlicedSums&) = delete;
  // The duplicate is freed by free(), not by the destructor: after a failure it must be left alone.
  void free();

  // Bytes of host memory that a sum needs beside its values.
  [[nodiscard]] std::size_t room_bytes(std::int64_t length) const;
  // values [length] = their sum over ranks. Values and room are host memory and must stay until
  // test() says so. Every rank starts the same sums in the same order. `purpose` is for errors.
  [[nodiscard]] std::unique_ptr<Sum> start(float* values, std::int64_t length, void* room,
                                           int threads, const std::string& purpose);
  // Lets every sum under way proceed; true when this one is done.
  [[nodiscard]] bool test(Sum& sum);

 private:
  // The ways back are started in the order of the sums, whichever of them a caller waits for: MPI
  // matches collectives by their order.
  void proceed();

  MPI_Comm slices_;
  MPI_Comm sums_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 0;
  std::deque<Sum*> on_the_way_;  // those whose slices have not all come
};

class SlicedSums::Sum {
 public:
  ~Sum();
  Sum(const Sum&) = delete;
  Sum& operator=(const Sum&) = delete;

 private:
  friend class SlicedSums;
  explicit Sum(SlicedSums& sums) : sums_(sums) {}

  SlicedSums& sums_;
  std::string purpose_;
  float* values_ = nullptr;
  float* received_ = nullptr;  // [ranks x own slice]
  int threads_ = 1;
  // MPI reads these until a collective is done.
  std::vector<int> slice_lengths_;
  std::vector<int> slice_places_;
  std::vector<int> received_lengths_;
  std::vector<int> received_places_;
  bool is_sum_ = false;  // the own slice is summed, and on its way to all
  bool done_ = false;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

}  // namespace convoy
