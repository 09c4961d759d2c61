// Writes shards through HDF5.
#include "io/shard.h"

#include "io/crc32c.h"
#include "io/durable.h"
#include "io/hdf5.h"
#include "io/shard_format.h"

namespace convoy {

void write_shard(const std::filesystem::path& path, const ShardContent& content) {
  const auto images = static_cast<std::int64_t>(content.labels.size());
  AsideFile aside(path);
  hdf5::File file = hdf5::File::create(aside.partial());
  file.set("/", "format", std::string(shard_format::version));
  file.write(shard_format::images, {images, content.image_size, content.image_size, 3},
             content.images.data());
  file.write(shard_format::labels, {images}, content.labels.data());
  file.write_strings(shard_format::ids, content.ids);
  file.write(shard_format::checksums, {images}, content.checksums.data());
  file.close();
  aside.commit();
}

std::uint32_t shard_checksum(std::span<const std::uint32_t> checksums,
                             std::span<const std::int32_t> labels) {
  return crc32c(labels.data(), labels.size_bytes(),
                crc32c(checksums.data(), checksums.size_bytes()));
}

}  // namespace convoy
