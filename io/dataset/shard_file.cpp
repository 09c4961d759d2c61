// Positional reads, through the page cache or past it.
#include "io/dataset/shard_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/error.h"

namespace convoy {
namespace {

[[noreturn]] void refuse_direct(const std::filesystem::path& path) {
  fail(ExitCode::usage,
       "the file system of {} does not read past the page cache, which data.read direct asks for; "
       "use --data.read cached",
       path.string());
}

// Whether a thread should ask for images before it copies them. Asking costs an eighth of a copy,
// and is for nothing where the images are in the page cache; where they are not, a few copies
// without it show by faults that went to the disk.
class CacheProbe {
 public:
  bool cold() {
    if (left_ == 0) look();
    --left_;
    return cold_;
  }

 private:
  static constexpr int images_asked_for = 256;
  static constexpr int images_tried = 4;

  void look() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    cold_ = faults_ != usage.ru_majflt;
    faults_ = usage.ru_majflt;
    left_ = cold_ ? images_asked_for : images_tried;
  }

  long faults_ = -1;  // none has been seen: the first images are asked for
  int left_ = 0;
  bool cold_ = true;
};

}  // namespace

std::uint8_t* ReadBuffer::reserve(std::int64_t bytes) {
  if (bytes > bytes_) {
    bytes_ = (bytes + alignment - 1) / alignment * alignment;
    memory_.reset(static_cast<std::uint8_t*>(
        std::aligned_alloc(alignment, static_cast<std::size_t>(bytes_))));
    if (!memory_) throw std::bad_alloc();
  }
  return memory_.get();
}

ShardFile::ShardFile(const std::filesystem::path& path, ReadMode mode) : path_(path), mode_(mode) {
  const int direct = mode == ReadMode::direct ? O_DIRECT : 0;
  file_ = Descriptor(
      uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | direct); }));
  if (!file_.valid() && errno == EINVAL && direct != 0) refuse_direct(path);
  struct stat status {};
  if (!file_.valid() || ::fstat(file_.get(), &status) != 0) {
    fail(errno == EMFILE ? ExitCode::resource : ExitCode::bad_data, "cannot open {}: {}",
         path.string(), std::strerror(errno));
  }
  bytes_ = status.st_size;
  if (mode == ReadMode::cached) mapping_ = Mapping(file_.get(), bytes_);
}

bool ShardFile::copy_rows(std::int64_t begin, std::int64_t rows, std::int64_t row_bytes,
                          std::int64_t stride, std::uint8_t* out) const {
  if (!mapping_.valid()) return false;
  // Where the bytes are not in the page cache they come in one piece, not page by page.
  thread_local CacheProbe probe;
  if (probe.cold()) read_ahead(begin, (rows - 1) * stride + row_bytes);
  return mapping_.copy(begin, rows, row_bytes, stride, out);
}

const std::uint8_t* ShardFile::read(std::int64_t image, std::int64_t begin, std::int64_t count,
                                    ReadBuffer& buffer) const {
  // Direct reads take whole pages; the last one may reach over the file's end.
  constexpr std::int64_t page = ReadBuffer::alignment;
  const bool direct = mode_ == ReadMode::direct;
  const std::int64_t skipped = direct ? begin % page : 0;
  const std::int64_t needed = skipped + count;
  const std::int64_t wanted = direct ? (needed + page - 1) / page * page : needed;
  std::uint8_t* const memory = buffer.reserve(wanted);
  for (std::int64_t got = 0; got < needed;) {
    const ssize_t more = ::pread(file_.get(), memory + got, static_cast<std::size_t>(wanted - got),
                                 begin - skipped + got);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0 && errno == EINVAL && direct) refuse_direct(path_);
    if (more <= 0 || (direct && got + more < needed && more % page != 0)) {
      fail(ExitCode::bad_data, "cannot read image {} of {}: {}", image, path_.string(),
           more < 0 ? std::strerror(errno) : "the file became shorter");
    }
    got += more;
  }
  return memory + skipped;
}

void ShardFile::read_ahead(std::int64_t begin, std::int64_t count) const {
  // A hint: where it cannot be followed, reads take longer.
  if (mode_ == ReadMode::cached)
    static_cast<void>(::posix_fadvise(file_.get(), begin, count, POSIX_FADV_WILLNEED));
}

}  // namespace convoy
