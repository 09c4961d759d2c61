// Indexes tars by reading their headers through libarchive; members are read by pread.
#include "io/pack/tar_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/error.h"

namespace convoy {
namespace {

constexpr std::int64_t block_bytes = 512;

// What libarchive reads of the file: blocks of a range. Small ones, for between two headers lies
// an image that indexing has no use for.
struct Window {
  const TarFile& file;
  Range range;
  std::int64_t at;
  std::array<std::uint8_t, 4096> buffer{};
  std::optional<Error> failure;

  Window(const TarFile& tar, Range all) : file(tar), range(all), at(all.begin) {}

  static la_ssize_t read(archive* reader, void* data, const void** buffer) {
    auto& self = *static_cast<Window*>(data);
    const auto left = static_cast<std::size_t>(self.range.end - self.at);
    try {
      const std::size_t got =
          self.file.read(self.at, std::span(self.buffer).first(std::min(left, self.buffer.size())));
      self.at += static_cast<std::int64_t>(got);
      *buffer = self.buffer.data();
      return static_cast<la_ssize_t>(got);
    } catch (const Error& error) {  // must not pass through C
      self.failure = error;
      archive_set_error(reader, EIO, "%s", error.what());
      return -1;
    }
  }
  static la_int64_t skip(archive*, void* data, la_int64_t request) {
    auto& self = *static_cast<Window*>(data);
    const la_int64_t step = std::min<la_int64_t>(request, self.range.end - self.at);
    self.at += step;
    return step;
  }
};

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

std::string name_of(archive_entry* entry) {
  // The bytes as they are; where the tar says that they are UTF-8, the locale may not express them.
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr) name = archive_entry_pathname_utf8(entry);
  std::string text = name == nullptr ? "" : name;
  while (text.starts_with("./")) text.erase(0, 2);
  return text;
}

std::int64_t after(std::int64_t end) { return (end + block_bytes - 1) / block_bytes * block_bytes; }

}  // namespace

TarFile::TarFile(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (!file_.valid() || ::fstat(file_.get(), &status) != 0) {
    fail(ExitCode::bad_data, "cannot open {}: {}", path.string(), std::strerror(errno));
  }
  bytes_ = status.st_size;
}

bool TarFile::is_header(std::span<const std::uint8_t> block) {
  constexpr std::size_t field = 148;  // of the checksum: 8 octal digits, counted as blanks
  constexpr std::size_t width = 8;
  if (block.size() != static_cast<std::size_t>(block_bytes)) return false;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    sum += i >= field && i < field + width ? std::uint8_t{' '} : block[i];
  }
  std::uint32_t stored = 0;
  bool digits = false;
  for (const std::uint8_t c : block.subspan(field, width)) {
    if (c == ' ' && !digits) continue;
    if (c < '0' || c > '7') break;
    stored = stored * 8 + (c - std::uint32_t{'0'});
    digits = true;
  }
  return digits && stored == sum;
}

bool TarFile::is_tar(Range range) const {
  std::array<std::uint8_t, block_bytes> block{};
  if (range.size() < block_bytes) return false;
  return is_header(std::span(block).first(read(range.begin, block)));
}

std::size_t TarFile::read(std::int64_t offset, std::span<std::uint8_t> out) const {
  const ssize_t got = read_range(file_, out.data(), out.size(), offset);
  if (got < 0) fail(ExitCode::bad_data, "cannot be read: {}", std::strerror(errno));
  return static_cast<std::size_t>(got);
}

std::vector<TarMember> TarFile::members(Range range, const std::string& what) const {
  const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  Window window(*this, range);
  const auto damaged = [&](const std::string& last) {
    if (window.failure) fail(window.failure->code(), "{} {}", what, window.failure->what());
    const char* reason = archive_error_string(reader.get());
    fail(ExitCode::bad_data, "{} is damaged{}: {}", what, last.empty() ? "" : " after " + last,
         reason == nullptr ? "its headers make no sense" : reason);
  };
  archive_read_support_format_tar(reader.get());
  archive_read_set_read_callback(reader.get(), &Window::read);
  archive_read_set_skip_callback(reader.get(), &Window::skip);
  archive_read_set_callback_data(reader.get(), &window);
  if (archive_read_open1(reader.get()) != ARCHIVE_OK) damaged("");

  std::vector<TarMember> members;
  std::int64_t end = range.begin;  // of the last member
  std::string last;
  for (archive_entry* entry = nullptr;;) {
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) break;
    // A warning is about a name that the locale cannot express, or an attribute of no use here.
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) damaged(last);
    last = name_of(entry);
    const std::int64_t offset = range.begin + archive_filter_bytes(reader.get(), 0);
    const std::int64_t size = archive_entry_size(entry);
    if (size < 0 || size > range.end - offset) {
      fail(ExitCode::bad_data,
           "{} is cut short or damaged: its member {} should have {} bytes from byte {}, but the "
           "tar ends at byte {}",
           what, last, size, offset, range.end);
    }
    if (archive_entry_sparse_count(entry) > 0) {
      fail(ExitCode::bad_data, "{} has the sparse member {}: make the tar without --sparse", what,
           last);
    }
    end = after(offset + size);
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFDIR) continue;
    if (last.empty()) fail(ExitCode::bad_data, "{} has a member without a name", what);
    const bool regular = type == AE_IFREG && archive_entry_hardlink(entry) == nullptr;
    members.push_back({last, regular, offset, size});
  }
  check_end({end, range.end}, what);
  return members;
}

// Without the end mark, a tar that lost its last members could not be told from a whole one; what
// follows the mark would go unseen.
void TarFile::check_end(Range rest, const std::string& what) const {
  std::array<std::uint8_t, 65'536> buffer{};
  if (rest.size() < block_bytes) {
    fail(ExitCode::bad_data, "{} is cut short: it ends without a tar's end mark", what);
  }
  while (rest.begin < rest.end) {
    const std::size_t wanted = std::min(buffer.size(), static_cast<std::size_t>(rest.size()));
    const std::size_t got = read(rest.begin, std::span(buffer).first(wanted));
    if (got == 0) fail(ExitCode::bad_data, "{} became shorter while it was read", what);
    if (std::any_of(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got),
                    [](std::uint8_t byte) { return byte != 0; })) {
      fail(
          ExitCode::bad_data,
          "{} has bytes after its end mark, from byte {} on: it is damaged, or several tars joined",
          what, rest.begin);
    }
    rest.begin += static_cast<std::int64_t>(got);
  }
}

}  // namespace convoy
