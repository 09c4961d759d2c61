// An open file descriptor, closed at the end of its life, and system calls that signals interrupt.
#pragma once

#include <cerrno>
#include <cstddef>
#include <utility>

#include <unistd.h>

namespace convoy {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

// Makes a system call, again for as long as a signal interrupts it.
template <typename Call>
[[nodiscard]] auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Reads bytes [begin, begin + count) of a file: fewer where it ends before; negative, with errno,
// where reading fails.
[[nodiscard]] inline ssize_t read_range(const Descriptor& file, void* to, std::size_t count,
                                        off_t begin) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t got = uninterrupted([&] {
      return ::pread(file.get(), static_cast<char*>(to) + done, count - done,
                     begin + static_cast<off_t>(done));
    });
    if (got < 0) return got;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

// Writes all bytes where the file stands; false, with errno, where writing fails.
[[nodiscard]] inline bool write_all(const Descriptor& file, const void* from, std::size_t count) {
  std::size_t done = 0;
  while (done < count) {
    const ssize_t wrote = uninterrupted(
        [&] { return ::write(file.get(), static_cast<const char*>(from) + done, count - done); });
    if (wrote < 0) return false;
    done += static_cast<std::size_t>(wrote);
  }
  return true;
}

}  // namespace convoy
