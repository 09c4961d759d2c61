// Writes shards through HDF5; reads their pixels by pread where the storage is contiguous.
#include "io/shard.h"

#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>

#include "core/error.h"
#include "io/crc32c.h"
#include "io/durable.h"
#include "io/seal.h"

namespace convoy {
namespace {

constexpr const char* shard_format = "convoy-shard/1";
constexpr const char* images_name = "/images";
constexpr const char* bytes_name = "/bytes";
constexpr const char* offsets_name = "/offsets";
constexpr const char* labels_name = "/labels";
constexpr const char* ids_name = "/ids";
constexpr const char* checksums_name = "/crc32c";

static_assert(std::endian::native == std::endian::little, "checksums are over little-endian words");

std::string text_of(const hdf5::Extents& extents) {
  return fmt::format("[{}]", fmt::join(extents, ", "));
}

bool is_integer(const hdf5::Layout& layout) {
  return layout.kind == hdf5::Layout::Kind::signed_integer ||
         layout.kind == hdf5::Layout::Kind::unsigned_integer;
}

}  // namespace

void write_shard(const std::filesystem::path& path, const ShardContent& content) {
  const auto images = static_cast<std::int64_t>(content.labels.size());
  AsideFile aside(path);
  hdf5::File file = hdf5::File::create(aside.partial());
  file.set("/", "format", std::string(shard_format));
  file.set("/", "encoding", std::string(name_of(content.encoding)));
  if (content.encoding == Encoding::raw) {
    file.write(images_name, {images, content.image_size, content.image_size, 3},
               content.images.data());
  } else {
    file.write(bytes_name, {std::ssize(content.images)}, content.images.data());
    file.write(offsets_name, {images + 1}, content.offsets.data());
  }
  file.write(labels_name, {images}, content.labels.data());
  file.write_strings(ids_name, content.ids);
  file.write(checksums_name, {images}, content.checksums.data());
  const std::int64_t begin = *file.layout(images_name).offset;
  file.close();
  seal_file(aside.partial(), {begin, begin + static_cast<std::int64_t>(content.images.size())});
  aside.commit();
}

std::uint32_t shard_checksum(std::span<const std::uint32_t> checksums,
                             std::span<const std::int32_t> labels) {
  return crc32c(labels.data(), labels.size_bytes(),
                crc32c(checksums.data(), checksums.size_bytes()));
}

bool check_shard_seal(const std::filesystem::path& path, std::int64_t bytes) {
  std::error_code ignored;
  const auto found = std::filesystem::file_size(path, ignored);
  if (found != static_cast<std::uintmax_t>(bytes) && !has_seal(path, ExitCode::bad_data)) {
    return false;
  }
  check_seal(path, ExitCode::bad_data);
  return true;
}

Shard::Shard(const std::filesystem::path& path, std::int64_t images, std::int64_t image_size,
             std::int64_t classes)
    : path_(path),
      image_size_(image_size),
      image_bytes_(image_size * image_size * 3),
      hdf5_(hdf5::File::open(path, ExitCode::bad_data)) {
  if (hdf5_->has("/", "format") && hdf5_->text("/", "format") != shard_format) {
    fail(ExitCode::bad_data, "{} is no shard that this version reads: its format is '{}', not '{}'",
         path.string(), hdf5_->text("/", "format"), shard_format);
  }
  for (const char* needed : {images_name, labels_name}) {
    if (!hdf5_->exists(needed)) {
      fail(ExitCode::bad_data, "{} is no shard of a dataset: it has no {}", path.string(), needed);
    }
  }
  check_images(images);
  read_labels(images, classes);
  read_checksums(images);
  if (direct()) hdf5_.reset();
}

void Shard::check_images(std::int64_t images) {
  const hdf5::Layout layout = hdf5_->layout(images_name);
  const hdf5::Extents expected{images, image_size_, image_size_, 3};
  if (layout.kind != hdf5::Layout::Kind::unsigned_integer || layout.element_bytes != 1) {
    fail(ExitCode::bad_data, "{} in {} must be of type uint8", images_name, path_.string());
  }
  if (layout.extents != expected) {
    fail(ExitCode::bad_data, "{} in {} is {}, but the index says {}", images_name, path_.string(),
         text_of(layout.extents), text_of(expected));
  }
  offset_ = layout.offset;
  if (!direct()) return;
  file_ = Descriptor(uninterrupted([&] { return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC); }));
  struct stat status {};
  if (!file_.valid() || ::fstat(file_.get(), &status) != 0) {
    fail(errno == EMFILE ? ExitCode::resource : ExitCode::bad_data, "cannot open {}: {}",
         path_.string(), std::strerror(errno));
  }
  if (status.st_size < *offset_ + images * image_bytes_) {
    fail(ExitCode::bad_data, "{} is cut short: it has {} bytes, its images end at {}",
         path_.string(), status.st_size, *offset_ + images * image_bytes_);
  }
}

void Shard::read_labels(std::int64_t images, std::int64_t classes) {
  const hdf5::Layout layout = hdf5_->layout(labels_name);
  if (!is_integer(layout) || layout.extents != hdf5::Extents{images}) {
    fail(ExitCode::bad_data, "{} in {} must be {} integers", labels_name, path_.string(), images);
  }
  const auto labels = hdf5_->read<std::int64_t>(labels_name);
  labels_.reserve(labels.size());
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= classes) {
      fail(ExitCode::bad_data, "image {} of {} has the label {}, but the dataset has {} classes",
           labels_.size(), path_.string(), label, classes);
    }
    labels_.push_back(static_cast<std::int32_t>(label));
  }
}

void Shard::read_checksums(std::int64_t images) {
  if (!hdf5_->exists(checksums_name)) return;
  const hdf5::Layout layout = hdf5_->layout(checksums_name);
  if (!is_integer(layout) || layout.extents != hdf5::Extents{images}) {
    fail(ExitCode::bad_data, "{} in {} must be {} integers", checksums_name, path_.string(),
         images);
  }
  checksums_ = hdf5_->read<std::uint32_t>(checksums_name);
}

void Shard::read_direct(std::int64_t row, std::int64_t begin, std::int64_t count,
                        std::uint8_t* out) const {
  std::int64_t at = *offset_ + row * image_bytes_ + begin;
  while (count > 0) {
    const ssize_t got = uninterrupted(
        [&] { return ::pread(file_.get(), out, static_cast<std::size_t>(count), at); });
    if (got <= 0) {
      fail(ExitCode::bad_data, "cannot read image {} of {}: {}", row, path_.string(),
           got < 0 ? std::strerror(errno) : "the file became shorter");
    }
    out += got;
    at += got;
    count -= got;
  }
}

void Shard::read(std::int64_t row, std::int64_t begin, std::int64_t count,
                 std::uint8_t* out) const {
  if (direct()) return read_direct(row, begin, count, out);
  thread_local std::vector<std::uint8_t> image;
  image.resize(static_cast<std::size_t>(image_bytes_));
  hdf5_->read_rows(images_name, {row, row + 1}, hdf5::Type::u8, image.data());
  std::memcpy(out, image.data() + begin, static_cast<std::size_t>(count));
}

}  // namespace convoy
