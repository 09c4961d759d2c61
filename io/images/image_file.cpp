// Reads a file at one go, with the system's reason where that fails.
#include "io/images/image_file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "io/files/descriptor.h"

namespace convoy {
namespace {

constexpr std::int64_t largest_file = std::int64_t{1} << 30;

}  // namespace

void check_image_bytes(std::int64_t bytes) {
  if (bytes > largest_file) fail(ExitCode::bad_data, "is larger than 1 GiB");
}

std::vector<std::uint8_t> read_image_file(const std::filesystem::path& path) {
  const auto check = [](bool ok) {
    if (!ok) fail(ExitCode::bad_data, "cannot be read: {}", std::strerror(errno));
  };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  check(file.valid() && ::fstat(file.get(), &status) == 0);
  if (S_ISDIR(status.st_mode)) fail(ExitCode::bad_data, "is a folder without files");
  if (!S_ISREG(status.st_mode)) fail(ExitCode::bad_data, "is not a file");
  check_image_bytes(status.st_size);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  const ssize_t got = read_range(file, bytes.data(), bytes.size(), 0);
  check(got >= 0);
  bytes.resize(static_cast<std::size_t>(got));  // it may have become shorter meanwhile
  return bytes;
}

}  // namespace convoy
