// Streams the shards of a folder through HDF5, whatever their storage, and writes their index.
#include "io/pack/index_folder.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "io/dataset/class_list.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/shard.h"
#include "io/dataset/shard_format.h"
#include "io/dataset/shard_reader.h"
#include "io/files/crc32c.h"
#include "io/files/hdf5.h"
#include "io/pack/pixel_statistics.h"
#include "io/run/progress.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t bytes_at_once = std::int64_t{16} << 20;
constexpr std::int64_t largest_label = 999'999;  // of numbered classes

std::vector<fs::path> shards_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".h5" && entry->path() != index_path(folder))
      paths.push_back(entry->path());
  }
  if (error) fail(ExitCode::bad_data, "cannot list {}: {}", folder.string(), error.message());
  if (paths.empty()) {
    fail(ExitCode::bad_data,
         "{} has no .h5 files; an index is made for files that each hold images uint8 [n, S, S, 3] "
         "and labels [n]",
         folder.string());
  }
  std::ranges::sort(paths);
  return paths;
}

// Number of images and their size; what else must hold is checked when the shard is read.
struct Extent {
  std::int64_t images = 0;
  std::int64_t size = 0;
  std::int64_t largest_label = 0;
};

Extent extent_of(const fs::path& path) {
  const hdf5::File file = hdf5::File::open(path, ExitCode::bad_data);
  if (file.has("/", "format")) {
    fail(ExitCode::bad_data,
         "{} was written by `convoy pack`, which makes the index itself when it is done: run it "
         "again",
         path.string());
  }
  for (const char* needed : {shard_format::images, shard_format::labels}) {
    if (!file.exists(needed)) {
      fail(ExitCode::bad_data, "{} is no shard of a dataset: it has no {}", path.string(), needed);
    }
  }
  const hdf5::Extents extents = file.layout(shard_format::images).extents;
  if (extents.size() != 4 || extents[0] < 1 || extents[1] < 1 || extents[1] != extents[2] ||
      extents[3] != 3) {
    fail(ExitCode::bad_data, "{} in {} is [{}]; a shard holds square RGB images [n, S, S, 3]",
         shard_format::images, path.string(), fmt::join(extents, ", "));
  }
  const auto labels = read_shard_labels(file, extents[0]);
  return {extents[0], extents[1], *std::ranges::max_element(labels)};
}

std::vector<ClassInfo> numbered_classes(std::int64_t count) {
  std::vector<ClassInfo> classes;
  const std::size_t digits = std::to_string(count - 1).size();
  for (std::int64_t i = 0; i < count; ++i)
    classes.push_back({fmt::format("class-{:0{}}", i, digits), ""});
  return classes;
}

class Indexer {
 public:
  Indexer(DatasetIndex& index, std::int64_t images)
      : index_(index),
        statistics_(index.image_size),
        image_bytes_(index.image_size * index.image_size * 3),
        progress_("Indexing", "images", images) {}

  void add(const fs::path& path, const Extent& extent) {
    const ShardReader shard(
        path, {extent.images, index_.image_size, static_cast<std::int64_t>(index_.classes.size())});
    const std::vector<std::uint32_t> checksums = stream(path, extent.images, shard.checksums());
    for (const std::int32_t label : shard.labels())
      ++index_.class_counts[static_cast<std::size_t>(label)];
    index_.image_checksums.insert(index_.image_checksums.end(), checksums.begin(), checksums.end());
    index_.shards.push_back(
        {path.filename().string(), extent.images, shard_checksum(checksums, shard.labels())});
  }

  void finish() {
    index_.mean_image = statistics_.mean_image();
    index_.mean_rgb = statistics_.mean_rgb();
    index_.pca = statistics_.pca();
  }

 private:
  // Adds the images to the statistics and returns their checksums. Several at a time: HDF5 unpacks
  // a chunk anew for every call.
  std::vector<std::uint32_t> stream(const fs::path& path, std::int64_t images,
                                    const std::vector<std::uint32_t>& stored) {
    const hdf5::File file = hdf5::File::open(path, ExitCode::bad_data);
    const std::int64_t rows = std::clamp<std::int64_t>(bytes_at_once / image_bytes_, 1, images);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(rows * image_bytes_));
    std::vector<std::uint32_t> checksums;
    for (std::int64_t first = 0; first < images; first += rows) {
      const Range range{first, std::min(first + rows, images)};
      file.read_rows(shard_format::images, range, hdf5::Type::u8, pixels.data());
      for (std::int64_t row = range.begin; row < range.end; ++row) {
        const std::uint8_t* image = pixels.data() + (row - first) * image_bytes_;
        checksums.push_back(crc32c(image, static_cast<std::size_t>(image_bytes_)));
        if (!stored.empty()) check_image(path, row, stored, checksums.back());
        statistics_.add(image);
      }
      done_ += range.size();
      progress_.update(done_);
    }
    return checksums;
  }

  static void check_image(const fs::path& path, std::int64_t row,
                          const std::vector<std::uint32_t>& stored, std::uint32_t found) {
    if (found == stored[static_cast<std::size_t>(row)]) return;
    fail(ExitCode::bad_data, "image {} of {} is damaged: its checksum differs", row, path.string());
  }

  DatasetIndex& index_;
  PixelStatistics statistics_;
  std::int64_t image_bytes_;
  Progress progress_;
  std::int64_t done_ = 0;
};

}  // namespace

IndexReport index_folder(const IndexOptions& options) {
  std::error_code ignored;
  if (fs::exists(index_path(options.folder), ignored)) {
    fail(ExitCode::usage, "{} has an index already; remove index.h5 to have it made anew",
         options.folder.string());
  }
  const std::vector<fs::path> paths = shards_in(options.folder);
  std::vector<Extent> extents;
  std::int64_t images = 0;
  std::int64_t last_class = 0;
  for (const fs::path& path : paths) {
    const Extent extent = extents.emplace_back(extent_of(path));
    if (extent.size != extents[0].size) {
      fail(ExitCode::bad_data,
           "{} holds images of {} pixels and {} of {}; a dataset's images are of one size",
           path.string(), extent.size, paths[0].string(), extents[0].size);
    }
    images += extent.images;
    last_class = std::max(last_class, extent.largest_label);
    if (options.classes.empty() && last_class > largest_label) {
      fail(ExitCode::bad_data, "{} has the label {}; labels number the classes from 0 on",
           path.string(), last_class);
    }
  }

  DatasetIndex index;
  index.image_size = extents[0].size;
  index.classes =
      options.classes.empty() ? numbered_classes(last_class + 1) : read_class_list(options.classes);
  index.class_counts.assign(index.classes.size(), 0);
  index.description = "convoy index " + options.folder.string();
  Indexer indexer(index, images);
  for (std::size_t i = 0; i < paths.size(); ++i) indexer.add(paths[i], extents[i]);
  indexer.finish();
  write_index(options.folder, index);
  return {images, std::ssize(paths), std::ssize(index.classes)};
}

}  // namespace convoy
