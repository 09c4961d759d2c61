// Computes, appends and checks seals with POSIX calls and ISA-L's CRC-32C.
#include "io/files/seal.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files/crc32c.h"
#include "io/files/descriptor.h"

namespace convoy {
namespace {

constexpr std::int64_t seal_bytes = 64;
constexpr std::int64_t gap_seal_bytes = 128;
constexpr std::int64_t chunk_bytes = 1 << 20;
constexpr std::string_view seal_begin = "\nconvoy-seal ";
constexpr std::string_view gap_begin = " without ";

struct SealedFile {
  const std::filesystem::path& path;
  ExitCode code;
  Descriptor file;
  std::int64_t bytes = 0;

  SealedFile(const std::filesystem::path& name, int flags, ExitCode exit_code)
      : path(name),
        code(exit_code),
        file(uninterrupted([&] { return ::open(name.c_str(), flags | O_CLOEXEC); })) {
    struct stat status {};
    if (!file.valid() || ::fstat(file.get(), &status) != 0) failed("open");
    bytes = status.st_size;
  }

  [[noreturn]] void failed(const char* doing) const {
    const bool resource = errno == EMFILE || errno == ENFILE || errno == ENOMEM;
    fail(resource ? ExitCode::resource : code, "cannot {} {}: {}", doing, path.string(),
         std::strerror(errno));
  }

  void read(std::int64_t offset, unsigned char* out, std::int64_t count) const {
    while (count > 0) {
      const ssize_t got = uninterrupted(
          [&] { return ::pread(file.get(), out, static_cast<std::size_t>(count), offset); });
      if (got < 0) failed("read");
      if (got == 0) fail(code, "{} became shorter while it was read", path.string());
      offset += got;
      out += got;
      count -= got;
    }
  }

  // Checksum of bytes [begin, end), continuing `crc`.
  [[nodiscard]] std::uint32_t checksum(std::int64_t begin, std::int64_t end,
                                       std::uint32_t crc) const {
    std::vector<unsigned char> chunk(static_cast<std::size_t>(std::min(end - begin, chunk_bytes)));
    for (std::int64_t offset = begin; offset < end; offset += chunk_bytes) {
      const std::int64_t size = std::min(chunk_bytes, end - offset);
      read(offset, chunk.data(), size);
      crc = crc32c(chunk.data(), static_cast<std::size_t>(size), crc);
    }
    return crc;
  }

  // The seal that belongs after the first `count` bytes.
  [[nodiscard]] std::string seal(std::int64_t count, Unsealed gap) const {
    const std::uint32_t crc = checksum(gap.end, count, checksum(0, gap.begin, 0));
    std::string text = fmt::format("convoy-seal crc32c {:08x} bytes {}", crc, count);
    if (gap.begin == gap.end) return fmt::format("\n{:<{}}\n", text, seal_bytes - 2);
    text += fmt::format("{}{}-{}", gap_begin, gap.begin, gap.end);
    return fmt::format("\n{:<{}}\n", text, gap_seal_bytes - 2);
  }

  // The line with which the file ends; empty where it is no seal.
  [[nodiscard]] std::string line() const {
    // No line of 128 bytes looks like one of 64 from its middle on, whatever stands before either.
    for (const std::int64_t size : {seal_bytes, gap_seal_bytes}) {
      std::string text(static_cast<std::size_t>(size), '\0');
      if (bytes < size) continue;
      read(bytes - size, reinterpret_cast<unsigned char*>(text.data()), size);
      const bool gap = text.find(gap_begin) != std::string::npos;
      if (text.starts_with(seal_begin) && gap == (size == gap_seal_bytes)) return text;
    }
    return {};
  }
};

// The gap that a line names, if it can be one of a file of `count` bytes; none otherwise, which
// makes the line a wrong one.
Unsealed gap_in(const std::string& line, std::int64_t count) {
  const std::size_t at = line.find(gap_begin);
  if (at == std::string::npos) return {};
  Unsealed gap;
  const char* const end = line.data() + line.size();
  const auto first = std::from_chars(line.data() + at + gap_begin.size(), end, gap.begin);
  if (first.ec != std::errc{} || first.ptr == end) return {};
  if (std::from_chars(first.ptr + 1, end, gap.end).ec != std::errc{}) return {};
  return gap.begin >= 0 && gap.begin <= gap.end && gap.end <= count ? gap : Unsealed{};
}

std::string readable(const std::string& line) {
  return line.substr(1, line.find_last_not_of(" \n"));
}

}  // namespace

void seal_file(const std::filesystem::path& path, Unsealed gap) {
  const SealedFile file(path, O_RDWR | O_APPEND, ExitCode::resource);
  const std::string seal = file.seal(file.bytes, gap);
  if (!write_all(file.file, seal.data(), seal.size())) file.failed("write");
}

bool has_seal(const std::filesystem::path& path, ExitCode code) {
  const SealedFile file(path, O_RDONLY, code);
  std::string tail(static_cast<std::size_t>(std::min(file.bytes, gap_seal_bytes)), '\0');
  file.read(file.bytes - static_cast<std::int64_t>(tail.size()),
            reinterpret_cast<unsigned char*>(tail.data()), static_cast<std::int64_t>(tail.size()));
  if (tail.find(seal_begin) != std::string::npos) return true;
  for (std::size_t left = 2; left < seal_begin.size(); ++left) {
    if (tail.ends_with(seal_begin.substr(0, left))) return true;
  }
  return false;
}

void check_seal(const std::filesystem::path& path, ExitCode code) {
  const SealedFile file(path, O_RDONLY, code);
  const std::string seal = file.line();
  if (seal.empty()) {
    fail(code, "{} is cut short or was not written by Convoy: its {} bytes do not end with a seal",
         path.string(), file.bytes);
  }
  const std::int64_t body = file.bytes - static_cast<std::int64_t>(seal.size());
  if (const std::string expected = file.seal(body, gap_in(seal, body)); seal != expected) {
    fail(code, "{} is damaged: its content and its seal differ ({} and {})", path.string(),
         readable(expected), readable(seal));
  }
}

}  // namespace convoy
