// A page of shared memory for each reader, which its owner alone writes.
#include "io/read/reader_peers.h"

#include <algorithm>
#include <array>
#include <limits>

namespace convoy {

// Zero at first. The code and sentence are written before `failed`, once.
struct ReaderPeers::State {
  std::atomic<std::int64_t> released;
  std::atomic<std::int64_t> complete;
  std::atomic<std::int64_t> failed;  // 1 + the first batch that fails; 0: none
  ExitCode code;
  std::array<char, 2048> sentence;

  [[nodiscard]] bool fails_by(std::int64_t batch) const {
    const std::int64_t first = failed.load(std::memory_order_acquire);
    return first != 0 && first - 1 <= batch;
  }
};

ReaderPeers::ReaderPeers(const std::optional<RingShare>& share) : share_(share) {
  static_assert(sizeof(State) <= RingShare::state_bytes);
  static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");
  if (!share) return;
  for (void* const memory : share->states) states_.push_back(static_cast<State*>(memory));
}

ReaderPeers::State& ReaderPeers::own() const {
  return *states_[static_cast<std::size_t>(share_->index)];
}

std::int64_t ReaderPeers::first_place(std::int64_t images) const {
  return alone() ? 0 : images * share_->index / count();
}

std::int64_t ReaderPeers::end_place(std::int64_t images) const {
  return alone() ? images : images * (share_->index + 1) / count();
}

void ReaderPeers::tell_released(std::int64_t released) {
  if (!alone()) own().released.store(released, std::memory_order_release);
}

void ReaderPeers::tell_complete(std::int64_t complete) {
  if (!alone()) own().complete.store(complete, std::memory_order_release);
}

void ReaderPeers::tell_failed(std::int64_t batch, ExitCode code, const std::string& sentence) {
  if (alone()) return;
  State& state = own();
  if (state.failed.load(std::memory_order_relaxed) == 0) {
    state.code = code;
    sentence.copy(state.sentence.data(), state.sentence.size() - 1);
  }
  state.failed.store(batch + 1, std::memory_order_release);
}

std::int64_t ReaderPeers::released() const {
  std::int64_t least = std::numeric_limits<std::int64_t>::max() / 2;
  for (const State* state : states_)
    least = std::min(least, state->released.load(std::memory_order_acquire));
  return least;
}

int ReaderPeers::without(std::int64_t batch) const {
  for (int reader = 0; reader < count(); ++reader) {
    const State& state = *states_[static_cast<std::size_t>(reader)];
    if (state.complete.load(std::memory_order_acquire) <= batch) return reader;
  }
  return -1;
}

int ReaderPeers::holding(std::int64_t batch) const {
  for (int reader = 0; reader < count(); ++reader) {
    const State& state = *states_[static_cast<std::size_t>(reader)];
    if (state.released.load(std::memory_order_acquire) <= batch) return reader;
  }
  return -1;
}

bool ReaderPeers::failed(std::int64_t batch) const {
  return std::ranges::any_of(states_, [&](const State* state) { return state->fails_by(batch); });
}

void ReaderPeers::rethrow(std::int64_t batch) const {
  for (const State* state : states_)
    if (state->fails_by(batch)) throw Error(state->code, std::string(state->sentence.data()));
}

}  // namespace convoy
