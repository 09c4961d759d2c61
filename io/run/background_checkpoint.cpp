// A queue of pieces and the thread that writes them.
#include "io/run/background_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>

#include "core/error.h"

namespace convoy {
namespace {

struct Piece {
  std::size_t tensor = 0;
  Range rows;
  const float* values = nullptr;
  std::atomic<bool>* written = nullptr;
};

}  // namespace

struct BackgroundCheckpoint::State {
  std::filesystem::path path;
  CheckpointInfo info;
  std::vector<CheckpointTensor> tensors;
  std::function<void()> before_name;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Piece> queue;
  bool finished = false;
  std::atomic<bool> abandoned{false};

  std::exception_ptr error;
  std::atomic<bool> over{false};  // the thread will touch nothing any more
  std::thread thread;

  // The next piece; false when all are written. Waits for it.
  bool take(Piece& piece) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !queue.empty() || finished || abandoned; });
    if (queue.empty() || abandoned) return false;
    piece = queue.front();
    queue.pop_front();
    return true;
  }

  void write(CheckpointWriter& writer, const Piece& piece) const {
    const CheckpointTensor& tensor = tensors[piece.tensor];
    const auto count = static_cast<std::size_t>(piece.rows.size() * tensor.shape.per_row());
    if (!std::ranges::all_of(std::span(piece.values, count),
                             [](float value) { return std::isfinite(value); })) {
      fail(ExitCode::diverged,
           "the {} of {} is no longer finite after step {}, so no checkpoint is written; most "
           "likely the learning rate is too high",
           tensor.kind, tensor.layer, info.step);
    }
    writer.write(tensor.layer, tensor.kind, piece.rows, piece.values);
  }

  void run() {
    try {
      CheckpointWriter writer(path, info);
      for (const CheckpointTensor& tensor : tensors)
        writer.create(tensor.layer, tensor.kind, tensor.shape);
      for (Piece piece; take(piece);) {
        write(writer, piece);
        if (piece.written != nullptr) *piece.written = true;
      }
      if (!abandoned) before_name();
      if (!abandoned) writer.finish();
    } catch (...) {
      error = std::current_exception();
    }
    over = true;
  }
};

BackgroundCheckpoint::BackgroundCheckpoint(std::filesystem::path path, CheckpointInfo info,
                                           std::vector<CheckpointTensor> tensors,
                                           std::function<void()> before_name)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->info = std::move(info);
  state_->tensors = std::move(tensors);
  state_->before_name = std::move(before_name);
  try {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
  } catch (const std::system_error& error) {
    fail(ExitCode::resource, "cannot start the thread that writes checkpoints: {}", error.what());
  }
}

BackgroundCheckpoint::~BackgroundCheckpoint() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->abandoned = !state_->finished;
  }
  state_->changed.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

void BackgroundCheckpoint::write(std::size_t tensor, Range rows, const float* values,
                                 std::atomic<bool>* written) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->queue.push_back({tensor, rows, values, written});
  }
  state_->changed.notify_one();
}

void BackgroundCheckpoint::finish() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->finished = true;
  }
  state_->changed.notify_one();
}

bool BackgroundCheckpoint::done() {
  if (!state_->over) return false;
  if (state_->thread.joinable()) state_->thread.join();
  if (state_->error) std::rethrow_exception(state_->error);
  return true;
}

}  // namespace convoy
