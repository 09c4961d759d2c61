// Opens a dataset and reads crops from its shards.
#include "io/dataset.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include "core/error.h"
#include "io/crc32c.h"
#include "io/dataset_index.h"
#include "io/shard.h"

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

}  // namespace

const char* name_of(Encoding encoding) { return encoding == Encoding::jpeg ? "jpeg" : "raw"; }

struct Dataset::State {
  std::filesystem::path folder;
  Verify verify;
  DatasetIndex index;
  std::string fingerprint;
  std::vector<Shard> shards;
  std::vector<std::int64_t> starts;                       // first sample of each shard
  std::unique_ptr<std::atomic<std::uint8_t>[]> verified;  // [size]: seen with the right checksum
  std::int64_t images = 0;
  std::int64_t image_bytes = 0;

  struct Place {
    const Shard& shard;
    std::int64_t row;
  };
  [[nodiscard]] Place place(std::int64_t sample) const {
    const auto next = std::upper_bound(starts.begin(), starts.end(), sample);
    const auto shard = static_cast<std::size_t>(next - starts.begin() - 1);
    return {shards[shard], sample - starts[shard]};
  }

  [[nodiscard]] bool must_verify(std::int64_t sample, const Shard& shard) const {
    if (verify == Verify::never || shard.checksums().empty()) return false;
    return verify == Verify::always ||
           verified[static_cast<std::size_t>(sample)].load(std::memory_order_relaxed) == 0;
  }

  void open_shards();
  void check_counts() const;
  void check_image(std::int64_t sample, const Place& at, const std::uint8_t* image) const;
};

void Dataset::State::open_shards() {
  allow_open_files(index.shards.size());
  std::size_t indirect = 0;
  std::size_t unchecked = 0;
  std::size_t unsealed = 0;
  for (const ShardEntry& entry : index.shards) {
    starts.push_back(images);
    images += entry.images;
    if (!check_shard_seal(folder / entry.file, entry.bytes)) ++unsealed;
    const Shard& shard = shards.emplace_back(folder / entry.file, entry.images, index.image_size,
                                             static_cast<std::int64_t>(index.classes.size()));
    if (!shard.direct()) ++indirect;
    if (shard.checksums().empty()) {
      ++unchecked;
    } else if (shard_checksum(shard.checksums(), shard.labels()) != entry.checksum) {
      fail(ExitCode::bad_data,
           "{} does not belong to this index or is damaged: the checksum of its labels and image "
           "checksums differs",
           shard.path().string());
    }
  }
  if (indirect > 0) {
    spdlog::warn(
        "{} of {} shards in {} are chunked or compressed: they are read through HDF5, one thread "
        "at a time",
        indirect, shards.size(), folder.string());
  }
  if (unsealed > 0) {
    spdlog::warn(
        "{} of {} shards in {} have no seal, so another tool made them: damage to their structure "
        "may go unseen or end the program",
        unsealed, shards.size(), folder.string());
  }
  if (unchecked > 0) {
    spdlog::warn("{} of {} shards in {} have no checksums: damage to them would go unseen",
                 unchecked, shards.size(), folder.string());
  }
}

// Labels of shards without checksums are held against the index all the same.
void Dataset::State::check_counts() const {
  std::vector<std::int64_t> counts(index.classes.size(), 0);
  for (const Shard& shard : shards) {
    for (const std::int32_t label : shard.labels()) ++counts[static_cast<std::size_t>(label)];
  }
  const auto differ = std::mismatch(counts.begin(), counts.end(), index.class_counts.begin()).first;
  if (differ == counts.end()) return;
  const auto label = static_cast<std::size_t>(differ - counts.begin());
  fail(ExitCode::bad_data, "the shards in {} hold {} images of {}, but the index says {}",
       folder.string(), counts[label], index.classes[label].name, index.class_counts[label]);
}

void Dataset::State::check_image(std::int64_t sample, const Place& at,
                                 const std::uint8_t* image) const {
  const std::uint32_t expected = at.shard.checksums()[static_cast<std::size_t>(at.row)];
  const std::uint32_t found = crc32c(image, static_cast<std::size_t>(image_bytes));
  if (found != expected) {
    fail(ExitCode::bad_data,
         "image {} of {} is damaged: its checksum is {:08x}, it was stored as {:08x}", at.row,
         at.shard.path().string(), found, expected);
  }
  verified[static_cast<std::size_t>(sample)].store(1, std::memory_order_relaxed);
}

Dataset::Dataset(const std::filesystem::path& folder, Verify verify)
    : state_(std::make_unique<State>()) {
  state_->folder = folder;
  state_->verify = verify;
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
std::int64_t Dataset::shards() const { return static_cast<std::int64_t>(state_->shards.size()); }
const std::string& Dataset::fingerprint() const { return state_->fingerprint; }
const std::string& Dataset::description() const { return state_->index.description; }

std::int32_t Dataset::label(std::int64_t sample) const {
  const State::Place at = state_->place(sample);
  return at.shard.labels()[static_cast<std::size_t>(at.row)];
}

ImageSource Dataset::source(std::int64_t sample) const {
  const State::Place at = state_->place(sample);
  return {at.shard.path().filename().string(), at.row};
}

void Dataset::read_crop(std::int64_t sample, std::int64_t top, std::int64_t left, std::int64_t size,
                        std::uint8_t* crop) const {
  const std::int64_t image_size = state_->index.image_size;
  if (sample < 0 || sample >= state_->images || top < 0 || left < 0 || size < 1 ||
      top + size > image_size || left + size > image_size) {
    fail(ExitCode::usage, "no crop of {} at ({}, {}) in image {} of {} images of size {}", size,
         top, left, sample, state_->images, image_size);
  }
  const State::Place at = state_->place(sample);
  const std::int64_t row_bytes = image_size * 3;
  const std::int64_t begin = top * row_bytes + left * 3;
  thread_local std::vector<std::uint8_t> buffer;
  buffer.resize(static_cast<std::size_t>(state_->image_bytes));

  const std::uint8_t* first = buffer.data();
  if (state_->must_verify(sample, at.shard)) {
    at.shard.read(at.row, 0, state_->image_bytes, buffer.data());
    state_->check_image(sample, at, buffer.data());
    first += begin;
  } else {
    at.shard.read(at.row, begin, (size - 1) * row_bytes + size * 3, buffer.data());
  }
  for (std::int64_t y = 0; y < size; ++y) {
    std::memcpy(crop + y * size * 3, first + y * row_bytes, static_cast<std::size_t>(size * 3));
  }
}

}  // namespace convoy
