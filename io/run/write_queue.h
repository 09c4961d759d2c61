// Writes files in the background: works are done in the order in which they are given, on a thread
// of their own, while whoever gives them goes on.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

namespace convoy {

class WriteQueue {
 public:
  // Works that wait hold at most so many bytes together, or one work more. Throws Error(resource)
  // where no thread starts.
  explicit WriteQueue(std::size_t most_bytes);
  ~WriteQueue();  // does what was given
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  // `work` owns what it reads, `bytes` of it. Blocks while there is no room, and loses nothing.
  // After a work that threw no other is done: this and settle() rethrow what it threw.
  void put(std::size_t bytes, std::function<void()> work);
  // Blocks until everything that was given before is done. From any thread.
  void settle();
  // What a work threw and nobody has been told; null: nothing. Blocks as settle() does.
  [[nodiscard]] std::exception_ptr untold();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace convoy
