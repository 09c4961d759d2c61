// Packs class folders of images into shards and an index.
#include "io/pack.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/random.h"
#include "io/class_folders.h"
#include "io/dataset_index.h"
#include "io/durable.h"
#include "io/image_packer.h"
#include "io/progress.h"
#include "io/shard.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t shard_bytes = std::int64_t{256} << 20;
constexpr std::int64_t largest_size = 4096;

void check_options(const PackOptions& options) {
  if (options.size < 1 || options.size > largest_size) {
    fail(ExitCode::usage, "--size must lie between 1 and {}, not {}", largest_size, options.size);
  }
  if (options.shard_images < 0 || options.threads < 0) {
    fail(ExitCode::usage, "images per shard ({}) and threads ({}) must not be negative",
         options.shard_images, options.threads);
  }
  const fs::path& output = options.output;
  std::error_code ignored;
  if (fs::exists(output, ignored) && !fs::is_directory(output, ignored)) {
    fail(ExitCode::usage, "the output {} is a file; a folder is needed", output.string());
  }
  if (fs::exists(index_path(output), ignored)) {
    fail(ExitCode::usage, "the output {} holds a dataset already: remove it or choose another",
         output.string());
  }
  const fs::path inside = fs::weakly_canonical(output, ignored)
                              .lexically_relative(fs::weakly_canonical(options.input, ignored));
  if (!inside.empty() && *inside.begin() != "..") {
    fail(ExitCode::usage, "the output {} must not lie in the input {}, whose folders are classes",
         output.string(), options.input.string());
  }
}

std::string shard_name(std::int64_t number) { return fmt::format("shard-{:05}.h5", number); }

// What an interrupted run left: without an index it is no dataset and cannot be continued.
void clear_output(const fs::path& output) {
  for (const char* prefix : {"shard-", "index.h5", "report.jsonl"}) remove_partials(output, prefix);
  std::error_code ignored;
  for (std::int64_t i = 0; fs::remove(output / shard_name(i), ignored); ++i) {
  }
}

// The files in the order of packing: shuffled, so that every shard holds every class.
std::vector<ImageFile> shuffled(const std::vector<ImageFile>& files, std::uint64_t seed) {
  const auto order = permutation(RandomSource(seed, Purpose::pack_order), 0,
                                 static_cast<std::uint32_t>(files.size()));
  std::vector<ImageFile> result;
  result.reserve(files.size());
  for (const std::uint32_t i : order) result.push_back(files[i]);
  return result;
}

// Fills and writes one shard after another.
class ShardPacker {
 public:
  ShardPacker(const PackOptions& options, std::vector<ImageFile> files, DatasetIndex& index,
              PackReport& report)
      : options_(options),
        files_(std::move(files)),
        index_(index),
        report_(report),
        images_(options.input, options.size,
                options.threads > 0
                    ? options.threads
                    : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        progress_("Packing", "images", static_cast<std::int64_t>(files_.size())),
        image_bytes_(static_cast<std::size_t>(options.size * options.size * 3)) {
    const std::int64_t by_size =
        std::max<std::int64_t>(shard_bytes / static_cast<std::int64_t>(image_bytes_), 1);
    const auto wanted =
        static_cast<std::size_t>(options.shard_images > 0 ? options.shard_images : by_size);
    squares_.resize(std::min(wanted, files_.size()) * image_bytes_);
  }

  void run() {
    while (next_ < files_.size()) {
      fill();
      if (!shard_.labels.empty()) write();
    }
  }

  [[nodiscard]] PixelStatistics statistics() const { return images_.statistics(); }

 private:
  // Decodes until the shard is full: files that cannot be used leave room for those after them.
  void fill() {
    shard_ = {};
    const std::size_t capacity = squares_.size() / image_bytes_;
    while (shard_.labels.size() < capacity && next_ < files_.size()) {
      const std::size_t filled = shard_.labels.size();
      const std::size_t count = std::min(capacity - filled, files_.size() - next_);
      const std::span<std::uint8_t> room =
          std::span(squares_).subspan(filled * image_bytes_, count * image_bytes_);
      auto outcomes = images_.decode(
          std::span(files_).subspan(next_, count), room,
          [&](std::int64_t done) { progress_.update(static_cast<std::int64_t>(next_) + done); });
      for (std::size_t i = 0; i < count; ++i) keep(files_[next_ + i], outcomes[i], room, i);
      next_ += count;
    }
    progress_.update(static_cast<std::int64_t>(next_));
  }

  // Takes square i into the shard, closing the gaps that unusable files left before it.
  void keep(const ImageFile& file, ImagePacker::Outcome& outcome, std::span<std::uint8_t> room,
            std::size_t i) {
    for (PackIssue& issue : outcome.issues) report_.issues.push_back(std::move(issue));
    if (!outcome.packed) return;
    std::memmove(squares_.data() + shard_.labels.size() * image_bytes_,
                 room.data() + i * image_bytes_, image_bytes_);
    shard_.labels.push_back(file.label);
    shard_.ids.push_back(file.name);
    shard_.checksums.push_back(outcome.checksum);
    ++index_.class_counts[static_cast<std::size_t>(file.label)];
  }

  void write() {
    const auto images = static_cast<std::int64_t>(shard_.labels.size());
    shard_.image_size = options_.size;
    shard_.images = std::span(squares_).first(shard_.labels.size() * image_bytes_);
    const std::string name = shard_name(static_cast<std::int64_t>(index_.shards.size()));
    write_shard(options_.output / name, shard_);
    index_.shards.push_back({name, images, shard_checksum(shard_.checksums, shard_.labels)});
  }

  const PackOptions& options_;
  std::vector<ImageFile> files_;
  DatasetIndex& index_;
  PackReport& report_;
  ImagePacker images_;
  Progress progress_;
  std::size_t image_bytes_;
  std::vector<std::uint8_t> squares_;  // [images per shard, size, size, 3]
  ShardContent shard_;
  std::size_t next_ = 0;  // first file not yet decoded
};

std::string describe(const PackOptions& options) {
  std::string text = fmt::format("convoy pack --input {} --size {} --seed {}",
                                 options.input.string(), options.size, options.seed);
  if (!options.classes.empty()) text += " --classes " + options.classes.string();
  return text;
}

void write_report(const fs::path& path, const std::vector<PackIssue>& issues) {
  std::string text;
  for (const PackIssue& issue : issues) {
    const nlohmann::ordered_json line{
        {"file", issue.file}, {"left_out", issue.left_out}, {"what", issue.what}};
    // File names need not be UTF-8, JSON must be.
    text += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  write_durably(path, text);
}

}  // namespace

PackReport pack(const PackOptions& options) {
  check_options(options);
  ClassFolders found = find_class_folders(options.input, options.classes);
  create_folders(options.output);
  clear_output(options.output);

  DatasetIndex index;
  index.image_size = options.size;
  index.classes = found.classes;
  index.class_counts.assign(index.classes.size(), 0);
  index.description = describe(options);
  PackReport report;
  report.issues = std::move(found.issues);
  ShardPacker packer(options, shuffled(found.files, options.seed), index, report);
  packer.run();

  std::stable_sort(report.issues.begin(), report.issues.end(),
                   [](const PackIssue& a, const PackIssue& b) { return a.file < b.file; });
  report.packed = index.images();
  report.left_out = static_cast<std::int64_t>(found.files.size()) - report.packed;
  report.shards = static_cast<std::int64_t>(index.shards.size());
  report.classes = static_cast<std::int64_t>(index.classes.size());
  if (report.packed == 0) {
    fail(ExitCode::bad_data, "none of the {} files in {} is an image that can be used: {} {}",
         found.files.size(), options.input.string(), report.issues.front().file,
         report.issues.front().what);
  }
  const PixelStatistics statistics = packer.statistics();
  index.mean_image = statistics.mean_image();
  index.mean_rgb = statistics.mean_rgb();
  index.pca = statistics.pca();
  write_report(options.output / "report.jsonl", report.issues);
  write_index(options.output, index);
  return report;
}

}  // namespace convoy
