// Writes shards through HDF5.
#include "io/dataset/shard.h"

#include <system_error>

#include "core/error.h"
#include "io/dataset/shard_format.h"
#include "io/files/crc32c.h"
#include "io/files/direct_write.h"
#include "io/files/durable.h"
#include "io/files/hdf5.h"
#include "io/files/seal.h"

namespace convoy {

void write_shard(const std::filesystem::path& path, const ShardContent& content) {
  const auto images = static_cast<std::int64_t>(content.labels.size());
  AsideFile aside(path);
  hdf5::File file = hdf5::File::create(aside.partial());
  file.set("/", "format", std::string(shard_format::version));
  file.set("/", "encoding", std::string(name_of(content.encoding)));
  const bool raw = content.encoding == Encoding::raw;
  if (raw) {
    file.create_dataset(shard_format::images, hdf5::Type::u8,
                        {images, content.image_size, content.image_size, 3});
  } else {
    file.create_dataset(shard_format::bytes, hdf5::Type::u8, {std::ssize(content.images)});
    file.write(shard_format::offsets, {images + 1}, content.offsets.data());
  }
  file.write(shard_format::labels, {images}, content.labels.data());
  file.write_strings(shard_format::ids, content.ids);
  file.write(shard_format::checksums, {images}, content.checksums.data());
  file.close();
  // Only a closed file has its size, by which layout() knows a damaged one.
  const std::int64_t begin = *hdf5::File::open(aside.partial(), ExitCode::resource)
                                  .layout(raw ? shard_format::images : shard_format::bytes)
                                  .offset;
  write_directly(aside.partial(), begin, content.images);
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

}  // namespace convoy
