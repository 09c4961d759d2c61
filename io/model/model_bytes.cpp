// Reads with pread, whatever a call gives.
#include "io/model/model_bytes.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

namespace convoy {

ModelBytes::ModelBytes(std::filesystem::path path) : path_(std::move(path)) {
  Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0) {
    fail(ExitCode::bad_checkpoint, "the weights {} cannot be read: {}", path_.string(),
         std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode))
    fail(ExitCode::bad_checkpoint, "the weights {} are not a file", path_.string());
  file_ = std::move(file);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void ModelBytes::read(std::uint64_t begin, std::uint64_t count, void* to) const {
  const ssize_t got = read_range(file_, to, count, static_cast<off_t>(begin));
  if (got < 0 || static_cast<std::uint64_t>(got) < count) {
    fail(ExitCode::bad_checkpoint, "the weights {} cannot be read: {}", path_.string(),
         got < 0 ? std::strerror(errno) : "the file has become shorter");
  }
}

}  // namespace convoy
