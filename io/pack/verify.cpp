// Reads all images of a dataset on several threads and collects what is wrong.
#include "io/pack/verify.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "core/device.h"
#include "core/error.h"
#include "core/random.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/shard.h"
#include "io/dataset/shard_reader.h"
#include "io/files/crc32c.h"
#include "io/files/hdf5.h"
#include "io/images/image.h"
#include "io/run/progress.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

// A shard that could be opened, and which of its images are damaged.
struct OpenShard {
  const ShardEntry& entry;
  ShardReader shard;
  std::span<const std::uint32_t> checksums;  // its own, or those that the index has for it
  std::vector<std::int64_t> damaged;
  std::string reason;  // of the first of them
};

class Verification {
 public:
  explicit Verification(const VerifyOptions& options)
      : options_(options), index_(read_index(options.dataset)) {
    report_.shards = std::ssize(index_.shards);
    report_.classes = std::ssize(index_.classes);
  }

  VerifyReport run() {
    std::int64_t first_image = 0;
    for (const ShardEntry& entry : index_.shards) {
      open(entry, first_image);
      first_image += entry.images;
    }
    check_counts();
    read_images();
    for (OpenShard& shard : shards_) report_damage(shard);
    check_folder();
    if (!options_.sheet.empty()) write_sheet();
    return std::move(report_);
  }

 private:
  void open(const ShardEntry& entry, std::int64_t first_image);
  void check_counts();
  void read_images();
  void check_image(OpenShard& shard, std::int64_t row, ReadBuffer& buffer);
  void report_damage(OpenShard& shard);
  void check_folder();
  void write_sheet();
  [[nodiscard]] std::vector<SheetImage> choose_images() const;
  [[nodiscard]] std::vector<std::uint8_t> pixels_of(const SheetImage& image) const;

  const VerifyOptions& options_;
  DatasetIndex index_;
  VerifyReport report_;
  std::deque<OpenShard> shards_;
  std::mutex mutex_;  // of every shard's `damaged`
};

void Verification::open(const ShardEntry& entry, std::int64_t first_image) {
  try {
    const fs::path path = options_.dataset / entry.file;
    if (!check_shard_seal(path, entry.bytes)) {
      report_.notes.push_back(entry.file +
                              " has no seal, so another tool made it: damage to its structure may "
                              "go unseen");
    }
    ShardReader shard(path, {entry.images, index_.image_size, report_.classes, index_.encoding});
    std::span<const std::uint32_t> checksums = shard.checksums();
    if (checksums.empty() && !index_.image_checksums.empty()) {
      checksums = std::span(index_.image_checksums)
                      .subspan(static_cast<std::size_t>(first_image),
                               static_cast<std::size_t>(entry.images));
    }
    if (checksums.empty()) {
      report_.notes.push_back(entry.file +
                              " has no checksums: damage to its images cannot be seen");
    } else if (shard_checksum(checksums, shard.labels()) != entry.checksum) {
      report_.faults.push_back(entry.file +
                               " does not belong to this index or is damaged: the checksum of its "
                               "labels and image checksums differs");
    }
    // Moving the reader leaves its checksums where they are.
    shards_.push_back({entry, std::move(shard), checksums, {}, {}});
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) throw;
    report_.faults.emplace_back(error.what());
  }
}

// Where a shard is missing, the counts must differ, and say nothing more.
void Verification::check_counts() {
  if (std::ssize(shards_) < report_.shards) return;
  std::vector<std::int64_t> counts(index_.classes.size(), 0);
  for (const OpenShard& open : shards_) {
    for (const std::int32_t label : open.shard.labels()) ++counts[static_cast<std::size_t>(label)];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == index_.class_counts[i]) continue;
    report_.faults.push_back(
        fmt::format("the shards hold {} images of class {}, {}, but the index "
                    "says {}",
                    counts[i], i, index_.classes[i].name, index_.class_counts[i]));
  }
}

void Verification::check_image(OpenShard& open, std::int64_t row, ReadBuffer& buffer) {
  std::string reason;
  try {
    const std::int64_t bytes = open.shard.stored_bytes(row);
    const std::uint8_t* const stored = open.shard.read(row, 0, bytes, buffer);
    if (open.checksums.empty()) return;
    const std::uint32_t expected = open.checksums[static_cast<std::size_t>(row)];
    const std::uint32_t found = crc32c(stored, static_cast<std::size_t>(bytes));
    if (found == expected) return;
    reason = fmt::format("its checksum is {:08x}, it was stored as {:08x}", found, expected);
  } catch (const Error& error) {
    reason = error.what();
  }
  const std::scoped_lock lock(mutex_);
  const bool first = open.damaged.empty() || row < open.damaged.front();
  open.damaged.insert(first ? open.damaged.begin() : open.damaged.end(), row);
  if (first) open.reason = std::move(reason);
}

void Verification::read_images() {
  std::vector<std::int64_t> ends;  // of each shard, in one count over all images
  std::int64_t total = 0;
  for (const OpenShard& open : shards_) ends.push_back(total += open.entry.images);
  Progress progress("Verifying", "images", total);
  std::atomic<std::int64_t> next{0};
  const auto work = [&](bool reports) {
    ReadBuffer buffer;
    for (std::int64_t i = next++; i < total; i = next++) {
      const auto shard = static_cast<std::size_t>(std::ranges::upper_bound(ends, i) - ends.begin());
      check_image(shards_[shard], i - ends[shard] + shards_[shard].entry.images, buffer);
      if (reports) progress.update(i + 1);
    }
  };
  {
    const int threads = options_.threads > 0 ? options_.threads : usable_cores();
    std::vector<std::jthread> helpers;
    for (int t = 1; t < threads; ++t) helpers.emplace_back(work, false);
    work(true);
  }
  progress.update(total);
  report_.images = total;
}

void Verification::report_damage(OpenShard& open) {
  if (open.damaged.empty()) return;
  report_.faults.push_back(fmt::format("{}: {} of {} images {} damaged, the first is image {}: {}",
                                       open.entry.file, open.damaged.size(), open.entry.images,
                                       open.damaged.size() == 1 ? "is" : "are",
                                       open.damaged.front(), open.reason));
}

// What lies in the folder that the index does not name.
void Verification::check_folder() {
  std::set<std::string> known{index_path(options_.dataset).filename().string()};
  for (const ShardEntry& entry : index_.shards) known.insert(entry.file);
  std::set<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.dataset, error)) {
    found.insert(entry.path().filename().string());
  }
  for (const std::string& name : found) {
    if (name.ends_with(".partial") || name.ends_with(".record") || name == "unfinished.json") {
      report_.notes.push_back(name + " was left by a writer that was stopped; it may be removed");
    } else if (name.ends_with(".h5") && !known.contains(name)) {
      report_.faults.push_back(name + " lies in the folder but is not in the index");
    }
  }
}

// Random images that are not damaged, ordered by label.
std::vector<SheetImage> Verification::choose_images() const {
  std::vector<std::pair<const OpenShard*, std::int64_t>> places;
  for (const OpenShard& open : shards_) {
    const std::set<std::int64_t> damaged(open.damaged.begin(), open.damaged.end());
    for (std::int64_t row = 0; row < open.entry.images; ++row) {
      if (!damaged.contains(row)) places.emplace_back(&open, row);
    }
  }
  const auto order = permutation(RandomSource(options_.seed, Purpose::sample_order), 0,
                                 static_cast<std::uint32_t>(places.size()));
  std::vector<SheetImage> chosen;
  for (const std::uint32_t i : order) {
    if (std::ssize(chosen) == options_.sheet_images) break;
    const auto& [open, row] = places[i];
    chosen.push_back({.label = open->shard.labels()[static_cast<std::size_t>(row)],
                      .shard = open->entry.file,
                      .image = row,
                      .id = ""});
  }
  std::ranges::sort(chosen, [](const SheetImage& a, const SheetImage& b) {
    return std::tie(a.label, a.shard, a.image) < std::tie(b.label, b.shard, b.image);
  });
  return chosen;
}

std::vector<std::uint8_t> Verification::pixels_of(const SheetImage& image) const {
  const auto open = std::ranges::find(shards_, image.shard,
                                      [](const OpenShard& each) { return each.entry.file; });
  ReadBuffer buffer;
  const std::int64_t bytes = open->shard.stored_bytes(image.image);
  const std::uint8_t* const stored = open->shard.read(image.image, 0, bytes, buffer);
  std::vector<std::uint8_t> content(stored, stored + bytes);
  return index_.encoding == Encoding::raw ? content : decode_image(content).image.pixels;
}

void Verification::write_sheet() {
  report_.sheet = choose_images();
  if (report_.sheet.empty()) {
    report_.notes.emplace_back("no contact sheet is written, for no image can be read");
    return;
  }
  place_in_grid(report_.sheet);
  std::vector<std::vector<std::uint8_t>> pixels;
  for (SheetImage& image : report_.sheet) {
    pixels.push_back(pixels_of(image));
    const auto file = hdf5::File::open(options_.dataset / image.shard, ExitCode::bad_data);
    if (!file.exists("/ids")) continue;
    const auto ids = file.read_strings("/ids");
    if (image.image < std::ssize(ids)) image.id = ids[static_cast<std::size_t>(image.image)];
  }
  write_contact_sheet(options_.sheet, report_.sheet, pixels, index_.image_size);
}

}  // namespace

VerifyReport verify_dataset(const VerifyOptions& options) { return Verification(options).run(); }

}  // namespace convoy
