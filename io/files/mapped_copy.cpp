// The copy and the signal handler that it can return from.
#include "io/files/mapped_copy.h"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>

#include <sys/mman.h>

namespace convoy {
namespace {

// Where a copy that is under way on this thread goes on after a SIGBUS; null outside copies.
// Volatile, since the handler sees it between any two instructions.
thread_local sigjmp_buf* volatile t_way_out = nullptr;
struct sigaction g_earlier {};

void on_bus_error(int signal, siginfo_t* info, void* context) {
  if (sigjmp_buf* const way_out = t_way_out; way_out != nullptr) siglongjmp(*way_out, 1);
  if ((g_earlier.sa_flags & SA_SIGINFO) != 0) {
    g_earlier.sa_sigaction(signal, info, context);
  } else if (g_earlier.sa_handler != SIG_DFL && g_earlier.sa_handler != SIG_IGN) {
    g_earlier.sa_handler(signal);
  } else {
    std::signal(signal, SIG_DFL);
    std::raise(signal);  // ends the process
  }
}

void handle_bus_errors() {
  static const bool once = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    // The signal stays allowed in its handler, which leaves it by a jump that restores no mask.
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    return sigaction(SIGBUS, &action, &g_earlier) == 0;
  }();
  static_cast<void>(once);
}

}  // namespace

Mapping::Mapping(int file, std::int64_t bytes) : bytes_(bytes) {
  handle_bus_errors();
  void* const memory =
      mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ, MAP_SHARED, file, 0);
  if (memory != MAP_FAILED) data_ = static_cast<std::uint8_t*>(memory);
}

Mapping::~Mapping() {
  if (valid()) munmap(data_, static_cast<std::size_t>(bytes_));
}

bool Mapping::copy(std::int64_t begin, std::int64_t rows, std::int64_t row_bytes,
                   std::int64_t stride, std::uint8_t* out) const {
  sigjmp_buf way_out;
  // Nothing with a destructor lives between here and the end: a jump would pass it by.
  if (sigsetjmp(way_out, 0) != 0) {
    t_way_out = nullptr;
    return false;
  }
  t_way_out = &way_out;
  std::atomic_signal_fence(std::memory_order_seq_cst);  // the copy stays between the two
  const std::uint8_t* from = data_ + begin;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memcpy(out + row * row_bytes, from + row * stride, static_cast<std::size_t>(row_bytes));
  }
  std::atomic_signal_fence(std::memory_order_seq_cst);
  t_way_out = nullptr;
  return true;
}

}  // namespace convoy
