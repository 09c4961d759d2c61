// A queue of works and the thread that does them.
#include "io/run/write_queue.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.h"

namespace convoy {
namespace {

struct Entry {
  std::size_t bytes = 0;
  std::function<void()> work;
};

}  // namespace

struct WriteQueue::State {
  std::size_t most_bytes = 0;
  std::mutex mutex;
  std::condition_variable given;  // for the thread
  std::condition_variable done;   // for those who wait for it
  std::deque<Entry> waiting;
  std::size_t bytes = 0;     // of those that wait
  std::uint64_t puts = 0;    // since the beginning
  std::uint64_t passed = 0;  // of those: done, or dropped after an error
  bool over = false;         // nothing more comes
  std::exception_ptr error;
  bool told = false;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      given.wait(lock, [this] { return !waiting.empty() || over; });
      if (waiting.empty()) return;
      Entry entry = std::move(waiting.front());
      waiting.pop_front();
      bytes -= entry.bytes;
      done.notify_all();
      if (!error) {
        lock.unlock();
        std::exception_ptr met = attempt(entry.work);
        entry.work = nullptr;  // its memory, before it counts as done
        lock.lock();
        error = std::move(met);
      }
      ++passed;
      done.notify_all();
    }
  }

  static std::exception_ptr attempt(const std::function<void()>& work) {
    try {
      work();
      return nullptr;
    } catch (...) {
      return std::current_exception();
    }
  }

  void wait_for_all(std::unique_lock<std::mutex>& lock) {
    done.wait(lock, [this, all = puts] { return passed >= all; });
  }

  // Needs the lock.
  void tell() {
    if (!error) return;
    told = true;
    std::rethrow_exception(error);
  }
};

WriteQueue::WriteQueue(std::size_t most_bytes) : state_(std::make_unique<State>()) {
  state_->most_bytes = most_bytes;
  try {
    state_->thread = std::thread([state = state_.get()] { state->run(); });
  } catch (const std::system_error& error) {
    fail(ExitCode::resource, "cannot start the thread that writes the run directory: {}",
         error.what());
  }
}

WriteQueue::~WriteQueue() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->over = true;
  }
  state_->given.notify_one();
  state_->thread.join();
}

void WriteQueue::put(std::size_t bytes, std::function<void()> work) {
  State& state = *state_;
  {
    std::unique_lock lock(state.mutex);
    state.done.wait(lock, [&] { return state.bytes <= state.most_bytes; });
    state.tell();
    state.waiting.push_back({bytes, std::move(work)});
    state.bytes += bytes;
    ++state.puts;
  }
  state.given.notify_one();
}

void WriteQueue::settle() {
  std::unique_lock lock(state_->mutex);
  state_->wait_for_all(lock);
  state_->tell();
}

std::exception_ptr WriteQueue::untold() {
  std::unique_lock lock(state_->mutex);
  state_->wait_for_all(lock);
  return state_->told ? nullptr : state_->error;
}

}  // namespace convoy
