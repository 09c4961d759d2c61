// Writes, reads and checks index.h5.
#include "io/dataset/dataset_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <system_error>

#include "core/error.h"
#include "io/files/crc32c.h"
#include "io/files/durable.h"
#include "io/files/hdf5.h"
#include "io/files/seal.h"

namespace convoy {
namespace {

constexpr const char* index_format = "convoy-dataset/1";
constexpr std::int64_t largest_image_size = 65'536;

std::uint32_t add(std::uint32_t crc, const std::string& text) {
  return crc32c(text.c_str(), text.size() + 1, crc);  // with its zero: "ab","c" is not "a","bc"
}

template <typename T>
std::uint32_t add(std::uint32_t crc, const std::vector<T>& values) {
  return crc32c(values.data(), values.size() * sizeof(T), crc);
}

std::uint32_t checksum_of_classes(const DatasetIndex& index) {
  std::uint32_t crc = 0;
  for (const ClassInfo& info : index.classes) crc = add(crc, info.name);
  return add(crc, index.class_counts);
}

// Over everything in the index, so that damage to it is seen before training on it.
std::uint32_t checksum_of_all(const DatasetIndex& index) {
  std::uint32_t crc = add(checksum_of_classes(index), index.mean_image);
  for (const ClassInfo& info : index.classes) crc = add(crc, info.words);
  crc = crc32c(index.mean_rgb.data(), sizeof index.mean_rgb, crc);
  crc = crc32c(index.pca.deviations.data(), sizeof index.pca.deviations, crc);
  crc = crc32c(index.pca.vectors.data(), sizeof index.pca.vectors, crc);
  crc = add(crc, index.image_checksums);
  // Added only where it is not the default, so that indexes made before there was a choice hold.
  if (index.encoding != Encoding::raw) crc = add(crc, std::string(name_of(index.encoding)));
  return add(crc, index.fingerprint() + index.description);
}

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  fail(ExitCode::bad_data, "{} cannot be used: {}", path.string(), what);
}

// 0 for the file of another tool, which has no seal.
std::int64_t sealed_bytes_of(const std::filesystem::path& shard) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(shard, error);
  if (error) {
    fail(ExitCode::resource, "cannot look at {}: {}", shard.string(), error.message());
  }
  return has_seal(shard, ExitCode::resource) ? static_cast<std::int64_t>(bytes) : 0;
}

template <typename T, std::size_t N>
void read_array(const hdf5::File& file, const std::string& name, std::array<T, N>& out) {
  const auto values = file.read<T>(name);
  if (values.size() != N) damaged(file.path(), fmt::format("{} must have {} values", name, N));
  std::copy(values.begin(), values.end(), out.begin());
}

Encoding read_encoding(const hdf5::File& file) {
  if (!file.has("/", "encoding")) return Encoding::raw;
  const std::string name = file.text("/", "encoding");
  for (const Encoding encoding : {Encoding::raw, Encoding::jpeg})
    if (name == name_of(encoding)) return encoding;
  damaged(file.path(), fmt::format("its images are encoded as '{}', not raw or jpeg", name));
}

void read_classes(const hdf5::File& file, DatasetIndex& index) {
  const auto names = file.read_strings("/classes");
  const auto words = file.read_strings("/words");
  index.class_counts = file.read<std::int64_t>("/class_counts");
  if (names.empty() || words.size() != names.size() || index.class_counts.size() != names.size())
    damaged(file.path(), "/classes, /words and /class_counts must be equally long and not empty");
  for (std::size_t i = 0; i < names.size(); ++i) index.classes.push_back({names[i], words[i]});
}

void read_shards(const hdf5::File& file, DatasetIndex& index) {
  const auto names = file.read_strings("/shards/files");
  const auto counts = file.read<std::int64_t>("/shards/images");
  const auto checksums = file.read<std::uint32_t>("/shards/crc32c");
  const auto bytes = file.read<std::int64_t>("/shards/bytes");
  if (names.empty() || counts.size() != names.size() || checksums.size() != names.size() ||
      bytes.size() != names.size()) {
    damaged(file.path(),
            "/shards/files, images, crc32c and bytes must be equally long and not empty");
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || std::filesystem::path(names[i]).filename() != names[i])
      damaged(file.path(), fmt::format("the shard '{}' does not lie beside it", names[i]));
    if (counts[i] < 1) damaged(file.path(), fmt::format("{} has {} images", names[i], counts[i]));
    index.shards.push_back({names[i], counts[i], checksums[i], bytes[i]});
  }
  if (!file.exists("/shards/image_crc32c")) return;
  index.image_checksums = file.read<std::uint32_t>("/shards/image_crc32c");
  if (std::ssize(index.image_checksums) != index.images())
    damaged(file.path(), "/shards/image_crc32c must hold a checksum for every image");
}

void read_colours(const hdf5::File& file, DatasetIndex& index) {
  const std::int64_t size = index.image_size;
  if (file.layout("/mean_image").extents != hdf5::Extents{size, size, 3})
    damaged(file.path(), fmt::format("/mean_image must be [{}, {}, 3]", size, size));
  index.mean_image = file.read<float>("/mean_image");
  read_array(file, "/mean_rgb", index.mean_rgb);
  read_array(file, "/pca_deviations", index.pca.deviations);
  std::array<double, 9> vectors{};
  read_array(file, "/pca_vectors", vectors);
  for (std::size_t i = 0; i < 9; ++i) index.pca.vectors[i / 3][i % 3] = vectors[i];
}

}  // namespace

std::int64_t DatasetIndex::images() const {
  return std::accumulate(
      shards.begin(), shards.end(), std::int64_t{0},
      [](std::int64_t sum, const ShardEntry& shard) { return sum + shard.images; });
}

std::string DatasetIndex::fingerprint() const {
  std::uint32_t content = 0;
  for (const ShardEntry& shard : shards) {
    content = crc32c(&shard.images, sizeof shard.images, content);
    content = crc32c(&shard.checksum, sizeof shard.checksum, content);
  }
  return fmt::format("{:08x}{:08x}", checksum_of_classes(*this), content);
}

std::filesystem::path index_path(const std::filesystem::path& dataset) {
  return dataset / "index.h5";
}

void write_index(const std::filesystem::path& dataset, const DatasetIndex& index) {
  std::vector<std::string> names;
  std::vector<std::string> words;
  for (const ClassInfo& info : index.classes) {
    names.push_back(info.name);
    words.push_back(info.words);
  }
  std::vector<std::string> files;
  std::vector<std::int64_t> counts;
  std::vector<std::uint32_t> checksums;
  std::vector<std::int64_t> bytes;
  for (const ShardEntry& shard : index.shards) {
    files.push_back(shard.file);
    counts.push_back(shard.images);
    checksums.push_back(shard.checksum);
    bytes.push_back(sealed_bytes_of(dataset / shard.file));
  }
  const auto classes = static_cast<std::int64_t>(names.size());
  const auto shards = static_cast<std::int64_t>(files.size());

  AsideFile aside(index_path(dataset));
  hdf5::File file = hdf5::File::create(aside.partial());
  file.set("/", "format", std::string(index_format));
  file.set("/", "image_size", index.image_size);
  file.set("/", "images", index.images());
  file.set("/", "fingerprint", index.fingerprint());
  file.set("/", "created_by", index.description);
  file.set("/", "encoding", std::string(name_of(index.encoding)));
  file.set("/", "crc32c", static_cast<std::int64_t>(checksum_of_all(index)));
  file.write_strings("/classes", names);
  file.write_strings("/words", words);
  file.write("/class_counts", {classes}, index.class_counts.data());
  file.write("/mean_image", {index.image_size, index.image_size, 3}, index.mean_image.data());
  file.write("/mean_rgb", {3}, index.mean_rgb.data());
  file.write("/pca_deviations", {3}, index.pca.deviations.data());
  file.write("/pca_vectors", {3, 3}, index.pca.vectors[0].data());
  file.write_strings("/shards/files", files);
  file.write("/shards/images", {shards}, counts.data());
  file.write("/shards/crc32c", {shards}, checksums.data());
  file.write("/shards/bytes", {shards}, bytes.data());
  if (!index.image_checksums.empty())
    file.write("/shards/image_crc32c", {index.images()}, index.image_checksums.data());
  file.close();
  seal_file(aside.partial());
  aside.commit();
}

DatasetIndex read_index(const std::filesystem::path& dataset) {
  const std::filesystem::path path = index_path(dataset);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    fail(ExitCode::bad_data,
         "{} is not a dataset: it has no index.h5 (`convoy pack --input FOLDER --output {}` makes "
         "one from images, `convoy index {}` from HDF5 shards that lie there)",
         dataset.string(), dataset.string(), dataset.string());
  }
  check_seal(path, ExitCode::bad_data);  // HDF5 does not survive every damaged file
  const hdf5::File file = hdf5::File::open(path, ExitCode::bad_data);
  if (!file.has("/", "format")) damaged(path, "it is an HDF5 file, but not the index of a dataset");
  if (const std::string format = file.text("/", "format"); format != index_format)
    damaged(path, fmt::format("its format is '{}', not '{}'", format, index_format));

  DatasetIndex index;
  index.image_size = file.integer("/", "image_size");
  if (index.image_size < 1 || index.image_size > largest_image_size)
    damaged(path, fmt::format("its image size is {}", index.image_size));
  index.description = file.text("/", "created_by");
  index.encoding = read_encoding(file);
  read_classes(file, index);
  read_shards(file, index);
  read_colours(file, index);
  if (file.text("/", "fingerprint") != index.fingerprint())
    damaged(path, "its fingerprint does not match its classes and shards");
  if (file.integer("/", "crc32c") != checksum_of_all(index))
    damaged(path, "its checksum does not match its content");
  return index;
}

}  // namespace convoy
