// Checks a shard against the index once, so that later reads only move bytes.
#include "io/dataset/shard_reader.h"

#include <string>

#include "core/error.h"
#include "io/dataset/shard_format.h"

namespace convoy {
namespace {

std::string text_of(const hdf5::Extents& extents) {
  return fmt::format("[{}]", fmt::join(extents, ", "));
}

bool is_integer(const hdf5::Layout& layout) {
  return layout.kind == hdf5::Layout::Kind::signed_integer ||
         layout.kind == hdf5::Layout::Kind::unsigned_integer;
}

bool is_bytes(const hdf5::Layout& layout) {
  return layout.kind == hdf5::Layout::Kind::unsigned_integer && layout.element_bytes == 1;
}

void require(const hdf5::File& file, const char* object) {
  if (file.exists(object)) return;
  fail(ExitCode::bad_data, "{} is no shard of a dataset: it has no {}", file.path().string(),
       object);
}

void require_integers(const hdf5::File& file, const char* object, std::int64_t count) {
  const hdf5::Layout layout = file.layout(object);
  if (is_integer(layout) && layout.extents == hdf5::Extents{count}) return;
  fail(ExitCode::bad_data, "{} in {} must be {} integers", object, file.path().string(), count);
}

}  // namespace

std::vector<std::int64_t> read_shard_labels(const hdf5::File& file, std::int64_t images) {
  require_integers(file, shard_format::labels, images);
  return file.read<std::int64_t>(shard_format::labels);
}

ShardReader::ShardReader(const std::filesystem::path& path, const ShardFacts& facts, ReadMode mode)
    : path_(path), facts_(facts), hdf5_(hdf5::File::open(path, ExitCode::bad_data)) {
  check_encoding();
  const hdf5::Layout layout = facts.encoding == Encoding::raw ? check_images() : check_bytes();
  require(*hdf5_, shard_format::labels);
  read_labels();
  read_checksums();
  open_file(layout, mode);
}

void ShardReader::check_encoding() const {
  if (hdf5_->has("/", "format") && hdf5_->text("/", "format") != shard_format::version) {
    fail(ExitCode::bad_data, "{} is no shard that this version reads: its format is '{}', not '{}'",
         path_.string(), hdf5_->text("/", "format"), shard_format::version);
  }
  const std::string wanted = name_of(facts_.encoding);
  const std::string found =
      hdf5_->has("/", "encoding") ? hdf5_->text("/", "encoding") : name_of(Encoding::raw);
  if (found == wanted) return;
  fail(ExitCode::bad_data, "{} holds images encoded as '{}', but the index says '{}'",
       path_.string(), found, wanted);
}

hdf5::Layout ShardReader::check_images() const {
  require(*hdf5_, shard_format::images);
  hdf5::Layout layout = hdf5_->layout(shard_format::images);
  const hdf5::Extents expected{facts_.images, facts_.image_size, facts_.image_size, 3};
  if (!is_bytes(layout)) {
    fail(ExitCode::bad_data, "{} in {} must be of type uint8", shard_format::images,
         path_.string());
  }
  if (layout.extents != expected) {
    fail(ExitCode::bad_data, "{} in {} is {}, but the index says {}", shard_format::images,
         path_.string(), text_of(layout.extents), text_of(expected));
  }
  return layout;
}

// Image i is the bytes [offsets[i], offsets[i + 1]): neighbours without gaps, in order, and none
// empty.
hdf5::Layout ShardReader::check_bytes() {
  require(*hdf5_, shard_format::bytes);
  require(*hdf5_, shard_format::offsets);
  hdf5::Layout layout = hdf5_->layout(shard_format::bytes);
  if (!is_bytes(layout) || layout.extents.size() != 1) {
    fail(ExitCode::bad_data, "{} in {} must be a row of uint8", shard_format::bytes,
         path_.string());
  }
  require_integers(*hdf5_, shard_format::offsets, facts_.images + 1);
  offsets_ = hdf5_->read<std::uint64_t>(shard_format::offsets);
  for (std::size_t row = 0; row + 1 < offsets_.size(); ++row) {
    const bool first_is_wrong = row == 0 && offsets_[0] != 0;
    if (first_is_wrong || offsets_[row + 1] <= offsets_[row]) {
      fail(ExitCode::bad_data,
           "image {} of {} cannot be found: it would lie at bytes {} to {} of {}; the offsets are "
           "damaged",
           row, path_.string(), offsets_[row], offsets_[row + 1], layout.extents[0]);
    }
  }
  if (offsets_.back() != static_cast<std::uint64_t>(layout.extents[0])) {
    fail(ExitCode::bad_data,
         "image {} of {} cannot be found: it would end at byte {} of {}; the offsets are damaged",
         facts_.images - 1, path_.string(), offsets_.back(), layout.extents[0]);
  }
  return layout;
}

void ShardReader::open_file(const hdf5::Layout& layout, ReadMode mode) {
  if (!layout.offset) {
    if (mode == ReadMode::cached) return;
    fail(ExitCode::usage,
         "{} is chunked or compressed, so that HDF5 reads it, and HDF5 reads through the page "
         "cache; use --data.read cached",
         path_.string());
  }
  offset_ = *layout.offset;
  file_ = ShardFile(path_, mode);
  const std::int64_t end = offset_ + begin_of(facts_.images);
  if (file_.bytes() < end) {
    fail(ExitCode::bad_data, "{} is cut short: it has {} bytes, its images end at {}",
         path_.string(), file_.bytes(), end);
  }
  hdf5_.reset();
}

void ShardReader::read_labels() {
  const std::vector<std::int64_t> labels = read_shard_labels(*hdf5_, facts_.images);
  labels_.reserve(labels.size());
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= facts_.classes) {
      fail(ExitCode::bad_data, "image {} of {} has the label {}, but the dataset has {} classes",
           labels_.size(), path_.string(), label, facts_.classes);
    }
    labels_.push_back(static_cast<std::int32_t>(label));
  }
}

void ShardReader::read_checksums() {
  if (!hdf5_->exists(shard_format::checksums)) return;
  require_integers(*hdf5_, shard_format::checksums, facts_.images);
  checksums_ = hdf5_->read<std::uint32_t>(shard_format::checksums);
}

std::int64_t ShardReader::begin_of(std::int64_t row) const {
  if (facts_.encoding == Encoding::raw) return row * facts_.image_size * facts_.image_size * 3;
  return static_cast<std::int64_t>(offsets_[static_cast<std::size_t>(row)]);
}

std::int64_t ShardReader::stored_bytes(std::int64_t row) const {
  return begin_of(row + 1) - begin_of(row);
}

const std::uint8_t* ShardReader::read(std::int64_t row, std::int64_t begin, std::int64_t count,
                                      ReadBuffer& buffer) const {
  if (!through_hdf5()) return file_.read(row, offset_ + begin_of(row) + begin, count, buffer);
  if (facts_.encoding == Encoding::raw) {
    std::uint8_t* const image = buffer.reserve(stored_bytes(row));
    hdf5_->read_rows(shard_format::images, {row, row + 1}, hdf5::Type::u8, image);
    return image + begin;
  }
  const std::int64_t from = begin_of(row) + begin;
  std::uint8_t* const bytes = buffer.reserve(count);
  hdf5_->read_rows(shard_format::bytes, {from, from + count}, hdf5::Type::u8, bytes);
  return bytes;
}

bool ShardReader::copy_rows(std::int64_t row, std::int64_t begin, std::int64_t rows,
                            std::int64_t row_bytes, std::int64_t stride, std::uint8_t* out) const {
  return !through_hdf5() &&
         file_.copy_rows(offset_ + begin_of(row) + begin, rows, row_bytes, stride, out);
}

void ShardReader::read_ahead(Range rows) const {
  if (through_hdf5()) return;
  const std::int64_t begin = begin_of(rows.begin);
  file_.read_ahead(offset_ + begin, begin_of(rows.end) - begin);
}

}  // namespace convoy
