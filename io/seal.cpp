// Computes, appends and checks seals with POSIX calls and ISA-L's CRC-32C.
#include "io/seal.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/crc32c.h"
#include "io/descriptor.h"

namespace convoy {
namespace {

constexpr std::int64_t seal_bytes = 64;
constexpr std::int64_t chunk_bytes = 1 << 20;

struct SealedFile {
  const std::filesystem::path& path;
  ExitCode code;
  Descriptor file;
  std::int64_t bytes = 0;

  SealedFile(const std::filesystem::path& name, int flags, ExitCode exit_code)
      : path(name), code(exit_code), file(::open(name.c_str(), flags | O_CLOEXEC)) {
    struct stat status {};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) failed("open");
    bytes = status.st_size;
  }

  [[noreturn]] void failed(const char* doing) const {
    fail(code, "cannot {} {}: {}", doing, path.string(), std::strerror(errno));
  }

  void read(std::int64_t offset, unsigned char* out, std::int64_t count) const {
    while (count > 0) {
      const ssize_t got = ::pread(file.get(), out, static_cast<std::size_t>(count), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) failed("read");
      if (got == 0) fail(code, "{} became shorter while it was read", path.string());
      offset += got;
      out += got;
      count -= got;
    }
  }

  // The seal that belongs after the first `count` bytes.
  [[nodiscard]] std::string seal(std::int64_t count) const {
    std::vector<unsigned char> chunk(static_cast<std::size_t>(std::min(count, chunk_bytes)));
    std::uint32_t crc = 0;
    for (std::int64_t offset = 0; offset < count; offset += chunk_bytes) {
      const std::int64_t size = std::min(chunk_bytes, count - offset);
      read(offset, chunk.data(), size);
      crc = crc32c(chunk.data(), static_cast<std::size_t>(size), crc);
    }
    return fmt::format("\n{:<62}\n", fmt::format("convoy-seal crc32c {:08x} bytes {}", crc, count));
  }
};

}  // namespace

void seal_file(const std::filesystem::path& path) {
  const SealedFile file(path, O_RDWR | O_APPEND, ExitCode::resource);
  const std::string seal = file.seal(file.bytes);
  const ssize_t wrote = ::write(file.file.get(), seal.data(), seal.size());
  if (wrote < 0) file.failed("write");
  if (wrote != seal_bytes) {
    fail(ExitCode::resource, "cannot write {}: the disk is full", path.string());
  }
}

void check_seal(const std::filesystem::path& path, ExitCode code) {
  const SealedFile file(path, O_RDONLY, code);
  std::string seal(seal_bytes, '\0');
  const std::int64_t body = file.bytes - seal_bytes;
  if (body >= 0) file.read(body, reinterpret_cast<unsigned char*>(seal.data()), seal_bytes);
  if (!seal.starts_with("\nconvoy-seal ")) {
    fail(code, "{} is cut short or was not written by Convoy: its {} bytes do not end with a seal",
         path.string(), file.bytes);
  }
  if (const std::string expected = file.seal(body); seal != expected) {
    fail(code, "{} is damaged: its content and its seal differ ({} and {})", path.string(),
         expected.substr(1, expected.find_last_not_of(" \n")),
         seal.substr(1, seal.find_last_not_of(" \n")));
  }
}

}  // namespace convoy
