// The lock file, its holder's name, and file systems without locks.
#include "dist/checkpoint/run_lock.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>

#include "core/error.h"

namespace convoy {
namespace {

std::string holder(int file) {
  std::array<char, 256> text{};
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  std::string name(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return name.substr(0, name.find('\n'));
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder, const std::string& host) {
  const std::filesystem::path path = folder / "run.lock";
  file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file_.valid()) {
    fail(ExitCode::resource, "{} cannot be written: {}", path.string(), std::strerror(errno));
  }
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      const std::string other = holder(file_.get());
      fail(ExitCode::usage,
           "another process is training in {}{}; wait until it has ended, or choose another "
           "--run.dir",
           folder.string(), other.empty() ? "" : " (" + other + ")");
    }
    warning_ = fmt::format(
        "{} cannot be locked ({}): see to it that no other process trains in this run directory",
        path.string(), std::strerror(errno));
    return;
  }
  const std::string name = fmt::format("process {} on {}\n", ::getpid(), host);
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), name.data(), name.size(), 0) != std::ssize(name)) {
    fail(ExitCode::resource, "{} cannot be written: {}", path.string(), std::strerror(errno));
  }
}

}  // namespace convoy
