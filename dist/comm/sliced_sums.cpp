// Slices out, sums back.
#include "dist/comm/sliced_sums.h"

#include <algorithm>

#include "core/tensor.h"
#include "dist/comm/sum_blocks.h"
#include "dist/mpi/mpi_check.h"

namespace convoy {
namespace {

// Where rank `rank`'s slice of `length` values begins.
std::int64_t slice_begin(std::int64_t length, int rank, int size) { return length * rank / size; }

bool is_done(MPI_Request& request, const std::string& purpose) {
  int done = 0;
  check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test", purpose);
  return done != 0;
}

}  // namespace

SlicedSums::SlicedSums(MPI_Comm slices) : slices_(slices) {
  MPI_Comm_rank(slices_, &rank_);
  MPI_Comm_size(slices_, &size_);
  check_mpi(MPI_Comm_dup(slices_, &sums_), "MPI_Comm_dup", "a group of ranks");
}

void SlicedSums::free() { MPI_Comm_free(&sums_); }

SlicedSums::Sum::~Sum() { std::erase(sums_.on_the_way_, this); }

std::size_t SlicedSums::room_bytes(std::int64_t length) const {
  const std::int64_t own =
      slice_begin(length, rank_ + 1, size_) - slice_begin(length, rank_, size_);
  return static_cast<std::size_t>(own * size_) * sizeof(float);
}

std::unique_ptr<SlicedSums::Sum> SlicedSums::start(float* values, std::int64_t length, void* room,
                                                   int threads, const std::string& purpose) {
  std::unique_ptr<Sum> sum(new Sum(*this));
  sum->purpose_ = purpose;
  sum->values_ = values;
  sum->received_ = static_cast<float*>(room);
  sum->threads_ = threads;
  for (int rank = 0; rank < size_; ++rank) {
    const std::int64_t begin = slice_begin(length, rank, size_);
    sum->slice_places_.push_back(static_cast<int>(begin));
    sum->slice_lengths_.push_back(static_cast<int>(slice_begin(length, rank + 1, size_) - begin));
  }
  const int own = sum->slice_lengths_[static_cast<std::size_t>(rank_)];
  for (int rank = 0; rank < size_; ++rank) {
    sum->received_lengths_.push_back(own);
    sum->received_places_.push_back(rank * own);
  }
  check_mpi(MPI_Ialltoallv(values, sum->slice_lengths_.data(), sum->slice_places_.data(), MPI_FLOAT,
                           room, sum->received_lengths_.data(), sum->received_places_.data(),
                           MPI_FLOAT, slices_, &sum->request_),
            "MPI_Ialltoallv", purpose);
  on_the_way_.push_back(sum.get());
  return sum;
}

void SlicedSums::proceed() {
  while (!on_the_way_.empty()) {
    Sum& next = *on_the_way_.front();
    if (!is_done(next.request_, next.purpose_)) return;
    const auto own = static_cast<std::size_t>(rank_);
    float* slice = next.values_ + next.slice_places_[own];
    sum_blocks(next.received_, static_cast<std::size_t>(size_), next.slice_lengths_[own],
               DType::f32, next.threads_, slice);
    check_mpi(MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_FLOAT, next.values_, next.slice_lengths_.data(),
                              next.slice_places_.data(), MPI_FLOAT, sums_, &next.request_),
              "MPI_Iallgatherv", next.purpose_);
    next.is_sum_ = true;
    on_the_way_.pop_front();
  }
}

bool SlicedSums::test(Sum& sum) {
  proceed();
  if (sum.is_sum_ && !sum.done_) sum.done_ = is_done(sum.request_, sum.purpose_);
  return sum.done_;
}

}  // namespace convoy
