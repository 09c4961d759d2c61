// Reads, decodes, resizes and checksums image files on several threads.
#include "io/image_packer.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/error.h"
#include "io/crc32c.h"
#include "io/descriptor.h"
#include "io/image.h"
#include "io/resize.h"

namespace convoy {
namespace {

constexpr std::int64_t largest_file = std::int64_t{1} << 30;

// Decoding at half the size or less is safe where this many pixels are left for each output pixel:
// the triangle then averages over the decoder's own coarser reduction.
constexpr std::int64_t kept_oversampling = 2;

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  const auto check = [](bool ok) {
    if (!ok) fail(ExitCode::bad_data, "cannot be read: {}", std::strerror(errno));
  };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  check(file.valid() && ::fstat(file.get(), &status) == 0);
  if (status.st_size > largest_file) fail(ExitCode::bad_data, "is larger than 1 GiB");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    check(got >= 0);
    if (got == 0) break;  // became shorter meanwhile
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

bool named_as_jpeg(const std::string& name) {
  const std::string extension = std::filesystem::path(name).extension().string();
  return strcasecmp(extension.c_str(), ".jpg") == 0 || strcasecmp(extension.c_str(), ".jpeg") == 0;
}

}  // namespace

ImagePacker::ImagePacker(std::filesystem::path input, std::int64_t size, int threads)
    : input_(std::move(input)),
      size_(size),
      statistics_(static_cast<std::size_t>(threads), PixelStatistics(size)) {}

ImagePacker::Outcome ImagePacker::decode_file(const ImageFile& file,
                                              std::span<std::uint8_t> square) const {
  Outcome outcome;
  try {
    const DecodedImage decoded =
        decode_image(read_file(input_ / file.name), kept_oversampling * size_);
    if (decoded.format == ImageFormat::png && named_as_jpeg(file.name)) {
      outcome.issues.push_back({file.name, false, "PNG data under a JPEG name"});
    }
    for (const std::string& note : decoded.notes) {
      outcome.issues.push_back({file.name, false, note});
    }
    resize_and_crop(decoded.image, size_, square);
    outcome.checksum = crc32c(square.data(), square.size());
    outcome.packed = true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) throw;
    outcome.issues.push_back({file.name, true, error.what()});
  } catch (const std::bad_alloc&) {
    fail(ExitCode::resource, "not enough memory to decode {}", (input_ / file.name).string());
  }
  return outcome;
}

std::vector<ImagePacker::Outcome> ImagePacker::decode(
    std::span<const ImageFile> files, std::span<std::uint8_t> squares,
    const std::function<void(std::int64_t)>& progress) {
  const auto bytes = static_cast<std::size_t>(size_ * size_ * 3);
  std::vector<Outcome> outcomes(files.size());
  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> done{0};
  std::mutex mutex;
  std::exception_ptr failure;

  const auto work = [&](PixelStatistics& statistics, bool reports) {
    try {
      for (std::size_t i = next++; i < files.size(); i = next++) {
        const auto square = squares.subspan(i * bytes, bytes);
        outcomes[i] = decode_file(files[i], square);
        if (outcomes[i].packed) statistics.add(square.data());
        ++done;
        if (reports) progress(done);
      }
    } catch (...) {
      next = files.size();  // the other threads have nothing left to do
      const std::scoped_lock lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    for (std::size_t t = 1; t < statistics_.size(); ++t) {
      helpers.emplace_back(work, std::ref(statistics_[t]), false);
    }
    work(statistics_[0], true);
  }
  if (failure) std::rethrow_exception(failure);
  return outcomes;
}

PixelStatistics ImagePacker::statistics() const {
  PixelStatistics total(size_);
  for (const PixelStatistics& part : statistics_) total.add(part);
  return total;
}

}  // namespace convoy
