// Opens a dataset and reads crops from its shards.
#include "io/dataset/dataset.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "core/error.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/shard.h"
#include "io/dataset/shard_reader.h"
#include "io/files/crc32c.h"
#include "io/images/stored_jpeg.h"

namespace convoy {
namespace {

// Every shard stays open. ImageNet has about a thousand, which is where many systems' soft limit
// lies; the hard limit is far above. Where it cannot be raised, opening a shard says so.
void allow_open_files(std::size_t more) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || more < limit.rlim_cur / 4) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur + more, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// What a thread keeps from one read to the next.
struct Scratch {
  ReadBuffer stored;
  StoredJpegDecoder decoder;
  std::vector<std::uint8_t> pixels;  // [S, S, 3] of the JPEG image decoded last:
  std::uint64_t dataset = 0;         // its dataset, 0 where there is none,
  std::int64_t sample = 0;           // and its number there
};

Scratch& scratch() {
  thread_local Scratch scratch;
  return scratch;
}

// Numbers datasets from 1, since addresses are used again.
std::uint64_t next_number() {
  static std::atomic<std::uint64_t> number = 0;
  return ++number;
}

}  // namespace

const char* name_of(Encoding encoding) { return encoding == Encoding::jpeg ? "jpeg" : "raw"; }

struct Dataset::State {
  std::filesystem::path folder;
  Verify verify;
  ReadMode mode;
  const std::uint64_t number = next_number();
  DatasetIndex index;
  std::string fingerprint;
  std::vector<ShardReader> shards;
  std::vector<std::int64_t> starts;                       // first sample of each shard
  std::vector<std::span<const std::uint32_t>> checksums;  // of each shard; empty: unknown
  std::unique_ptr<std::atomic<std::uint8_t>[]> verified;  // [size]: seen with the right checksum
  std::int64_t images = 0;
  std::int64_t image_bytes = 0;  // decoded
  std::size_t unsealed = 0;      // shards of other tools

  struct Place {
    std::size_t shard;
    std::int64_t row;
  };
  [[nodiscard]] Place place(std::int64_t sample) const {
    const auto next = std::upper_bound(starts.begin(), starts.end(), sample);
    const auto shard = static_cast<std::size_t>(next - starts.begin() - 1);
    return {shard, sample - starts[shard]};
  }

  [[nodiscard]] bool must_verify(std::int64_t sample, const Place& at) const {
    if (verify == Verify::never || checksums[at.shard].empty()) return false;
    return verify == Verify::always ||
           verified[static_cast<std::size_t>(sample)].load(std::memory_order_relaxed) == 0;
  }

  void open_shards();
  void take_checksums(const ShardEntry& entry);
  void tell_of_foreign_shards() const;
  void check_counts() const;
  void check_image(std::int64_t sample, const Place& at,
                   std::span<const std::uint8_t> stored) const;
  [[nodiscard]] const std::uint8_t* raw_pixels(std::int64_t sample, const Place& at,
                                               std::int64_t begin, std::int64_t count) const;
  [[nodiscard]] const std::uint8_t* jpeg_pixels(std::int64_t sample, const Place& at) const;
};

void Dataset::State::open_shards() {
  allow_open_files(index.shards.size());
  const auto classes = static_cast<std::int64_t>(index.classes.size());
  for (const ShardEntry& entry : index.shards) {
    starts.push_back(images);
    images += entry.images;
    if (!check_shard_seal(folder / entry.file, entry.bytes)) ++unsealed;
    shards.emplace_back(folder / entry.file,
                        ShardFacts{entry.images, index.image_size, classes, index.encoding}, mode);
  }
  for (const ShardEntry& entry : index.shards) take_checksums(entry);
  tell_of_foreign_shards();
}

// A shard's own checksums, or those that `convoy index` noted for it.
void Dataset::State::take_checksums(const ShardEntry& entry) {
  const std::size_t i = checksums.size();
  const ShardReader& shard = shards[i];
  std::span<const std::uint32_t> values = shard.checksums();
  if (values.empty() && !index.image_checksums.empty()) {
    values =
        std::span(index.image_checksums)
            .subspan(static_cast<std::size_t>(starts[i]), static_cast<std::size_t>(entry.images));
  }
  checksums.push_back(values);
  if (!values.empty() && shard_checksum(values, shard.labels()) != entry.checksum) {
    fail(ExitCode::bad_data,
         "{} does not belong to this index or is damaged: the checksum of its labels and image "
         "checksums differs",
         shard.path().string());
  }
}

void Dataset::State::tell_of_foreign_shards() const {
  const auto indirect = std::ranges::find_if(shards, &ShardReader::through_hdf5);
  if (indirect != shards.end()) {
    spdlog::warn(
        "{} of {} shards in {} are chunked or compressed, {} is the first: they are read through "
        "HDF5, one thread at a time",
        std::ranges::count_if(shards, &ShardReader::through_hdf5), shards.size(), folder.string(),
        indirect->path().filename().string());
  }
  if (unsealed > 0) {
    spdlog::warn(
        "{} of {} shards in {} have no seal, so another tool made them: damage to their structure "
        "may go unseen or end the program",
        unsealed, shards.size(), folder.string());
  }
  const auto is_empty = [](const auto& values) { return values.empty(); };
  const auto unchecked = std::ranges::find_if(checksums, is_empty);
  if (unchecked != checksums.end()) {
    spdlog::warn(
        "{} of {} shards in {} have no checksums, {} is the first: damage to them would go unseen",
        std::ranges::count_if(checksums, is_empty), shards.size(), folder.string(),
        index.shards[static_cast<std::size_t>(unchecked - checksums.begin())].file);
  }
}

// Labels of shards without checksums are held against the index all the same.
void Dataset::State::check_counts() const {
  std::vector<std::int64_t> counts(index.classes.size(), 0);
  for (const ShardReader& shard : shards) {
    for (const std::int32_t label : shard.labels()) ++counts[static_cast<std::size_t>(label)];
  }
  const auto differ = std::mismatch(counts.begin(), counts.end(), index.class_counts.begin()).first;
  if (differ == counts.end()) return;
  const auto label = static_cast<std::size_t>(differ - counts.begin());
  fail(ExitCode::bad_data, "the shards in {} hold {} images of {}, but the index says {}",
       folder.string(), counts[label], index.classes[label].name, index.class_counts[label]);
}

void Dataset::State::check_image(std::int64_t sample, const Place& at,
                                 std::span<const std::uint8_t> stored) const {
  const std::uint32_t expected = checksums[at.shard][static_cast<std::size_t>(at.row)];
  const std::uint32_t found = crc32c(stored.data(), stored.size());
  if (found != expected) {
    fail(ExitCode::bad_data,
         "image {} of {} is damaged: its checksum is {:08x}, it was stored as {:08x}", at.row,
         shards[at.shard].path().string(), found, expected);
  }
  verified[static_cast<std::size_t>(sample)].store(1, std::memory_order_relaxed);
}

// The pixels of the image from `begin` on, `count` bytes of them.
const std::uint8_t* Dataset::State::raw_pixels(std::int64_t sample, const Place& at,
                                               std::int64_t begin, std::int64_t count) const {
  const ShardReader& shard = shards[at.shard];
  ReadBuffer& buffer = scratch().stored;
  if (!must_verify(sample, at)) return shard.read(at.row, begin, count, buffer);
  const std::uint8_t* image = shard.read(at.row, 0, image_bytes, buffer);
  check_image(sample, at, {image, static_cast<std::size_t>(image_bytes)});
  return image + begin;
}

// All pixels of the image.
const std::uint8_t* Dataset::State::jpeg_pixels(std::int64_t sample, const Place& at) const {
  Scratch& kept = scratch();
  if (kept.dataset == number && kept.sample == sample) return kept.pixels.data();
  kept.dataset = 0;
  const ShardReader& shard = shards[at.shard];
  const std::int64_t bytes = shard.stored_bytes(at.row);
  const std::span stored(shard.read(at.row, 0, bytes, kept.stored),
                         static_cast<std::size_t>(bytes));
  if (must_verify(sample, at)) check_image(sample, at, stored);
  kept.pixels.resize(static_cast<std::size_t>(image_bytes));
  try {
    kept.decoder.decode(stored, index.image_size, kept.pixels.data());
  } catch (const Error& error) {
    fail(error.code(), "image {} of {} {}", at.row, shard.path().string(), error.what());
  }
  kept.dataset = number;
  kept.sample = sample;
  return kept.pixels.data();
}

Dataset::Dataset(const std::filesystem::path& folder, Verify verify, ReadMode mode)
    : state_(std::make_unique<State>()) {
  state_->folder = folder;
  state_->verify = verify;
  state_->mode = mode;
  state_->index = read_index(folder);
  state_->fingerprint = state_->index.fingerprint();
  state_->image_bytes = state_->index.image_size * state_->index.image_size * 3;
  state_->open_shards();
  state_->check_counts();
  state_->verified =
      std::make_unique<std::atomic<std::uint8_t>[]>(static_cast<std::size_t>(state_->images));
}

Dataset::~Dataset() = default;
Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;

const std::filesystem::path& Dataset::folder() const { return state_->folder; }
std::int64_t Dataset::size() const { return state_->images; }
std::int64_t Dataset::image_size() const { return state_->index.image_size; }
const std::vector<ClassInfo>& Dataset::classes() const { return state_->index.classes; }
const std::vector<std::int64_t>& Dataset::class_counts() const {
  return state_->index.class_counts;
}
const std::vector<float>& Dataset::mean_image() const { return state_->index.mean_image; }
std::array<double, 3> Dataset::mean_rgb() const { return state_->index.mean_rgb; }
const ColourPca& Dataset::pca() const { return state_->index.pca; }
Encoding Dataset::encoding() const { return state_->index.encoding; }
std::int64_t Dataset::shards() const { return static_cast<std::int64_t>(state_->shards.size()); }
Range Dataset::samples_of(std::int64_t shard) const {
  const auto i = static_cast<std::size_t>(shard);
  return {state_->starts[i], state_->starts[i] + state_->shards[i].images()};
}
const std::string& Dataset::fingerprint() const { return state_->fingerprint; }
const std::string& Dataset::description() const { return state_->index.description; }

std::int32_t Dataset::label(std::int64_t sample) const {
  const State::Place at = state_->place(sample);
  return state_->shards[at.shard].labels()[static_cast<std::size_t>(at.row)];
}

ImageSource Dataset::source(std::int64_t sample) const {
  const State::Place at = state_->place(sample);
  return {state_->index.shards[at.shard].file, at.row};
}

void Dataset::read_crop(std::int64_t sample, std::int64_t top, std::int64_t left, std::int64_t size,
                        std::uint8_t* crop) const {
  const std::int64_t image_size = state_->index.image_size;
  if (sample < 0 || sample >= state_->images || top < 0 || left < 0 || size < 1 ||
      top + size > image_size || left + size > image_size) {
    fail(ExitCode::usage, "no crop of {} at ({}, {}) in image {} of {} images of size {}", size,
         top, left, sample, state_->images, image_size);
  }
  const std::int64_t row_bytes = image_size * 3;
  const std::int64_t begin = top * row_bytes + left * 3;
  const std::int64_t count = (size - 1) * row_bytes + size * 3;
  const bool raw = encoding() == Encoding::raw;
  const State::Place at = state_->place(sample);
  if (raw && !state_->must_verify(sample, at) &&
      state_->shards[at.shard].copy_rows(at.row, begin, size, size * 3, row_bytes, crop))
    return;
  const std::uint8_t* first =
      raw ? state_->raw_pixels(sample, at, begin, count) : state_->jpeg_pixels(sample, at) + begin;
  for (std::int64_t y = 0; y < size; ++y) {
    std::memcpy(crop + y * size * 3, first + y * row_bytes, static_cast<std::size_t>(size * 3));
  }
}

void Dataset::read_ahead(Range samples) const {
  for (std::int64_t sample = samples.begin; sample < samples.end;) {
    const State::Place at = state_->place(sample);
    const ShardReader& shard = state_->shards[at.shard];
    const std::int64_t rows = std::min(samples.end - sample, shard.images() - at.row);
    shard.read_ahead({at.row, at.row + rows});
    sample += rows;
  }
}

}  // namespace convoy
