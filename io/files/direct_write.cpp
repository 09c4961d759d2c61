// Direct as far as pages are whole, then through the page cache.
#include "io/files/direct_write.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>

#include "core/error.h"
#include "io/files/descriptor.h"

namespace convoy {
namespace {

constexpr std::size_t page = 4096;

// Returns how many bytes were written: all of them, or with O_DIRECT fewer, where the file system
// refuses such writes.
std::size_t write_with(int flags, const std::filesystem::path& path, std::int64_t offset,
                       std::span<const std::uint8_t> bytes) {
  constexpr std::size_t most = std::size_t{1} << 26;  // a call; Linux writes less than 2 GiB
  const Descriptor file(
      uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags); }));
  std::size_t done = 0;
  ssize_t wrote = file.valid() ? 0 : -1;
  while (wrote >= 0 && done < bytes.size()) {
    wrote = uninterrupted([&] {
      return ::pwrite(file.get(), bytes.data() + done, std::min(bytes.size() - done, most),
                      offset + static_cast<std::int64_t>(done));
    });
    if (wrote > 0) done += static_cast<std::size_t>(wrote);
  }
  if (wrote < 0 && !(flags == O_DIRECT && errno == EINVAL)) {
    fail(ExitCode::resource, "cannot write {}: {}", path.string(), std::strerror(errno));
  }
  return done;
}

}  // namespace

void write_directly(const std::filesystem::path& path, std::int64_t offset,
                    std::span<const std::uint8_t> bytes) {
  const bool at_pages = reinterpret_cast<std::uintptr_t>(bytes.data()) % page == 0 &&
                        static_cast<std::size_t>(offset) % page == 0;
  const std::size_t whole = at_pages ? bytes.size() / page * page : 0;
  const std::size_t done =
      whole > 0 ? write_with(O_DIRECT, path, offset, bytes.first(whole)) : std::size_t{0};
  if (done == bytes.size()) return;
  write_with(0, path, offset + static_cast<std::int64_t>(done), bytes.subspan(done));
}

}  // namespace convoy
