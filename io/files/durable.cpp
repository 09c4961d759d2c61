// Writing aside, syncing and renaming through POSIX calls.
#include "io/files/durable.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <functional>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/error.h"
#include "io/files/descriptor.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with_errno(const char* doing, const fs::path& path) {
  fail(ExitCode::resource, "cannot {} {}: {}", doing, path.string(), std::strerror(errno));
}

void sync_path(const fs::path& path, int flags) {
  const Descriptor file(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC); }));
  if (!file.valid()) fail_with_errno("open", path);
  const int synced = uninterrupted([&] { return ::fsync(file.get()); });
  // EINVAL: some network file systems have nothing to sync for a folder.
  if (synced != 0 && errno != EINVAL) fail_with_errno("sync", path);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// What a symbolic link stands for, there or not.
fs::path followed(fs::path path) {
  constexpr int most_links = 40;  // as the system itself follows
  std::error_code error;
  for (int links = 0; links < most_links && fs::is_symlink(path, error); ++links)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

// What processes have in common that know each other by number: the host, and in containers the
// space of process numbers.
std::string mark_of_host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::error_code ignored;
  const fs::path space = fs::read_symlink("/proc/self/ns/pid", ignored);
  return fmt::format("{:08x}", std::hash<std::string>{}(name.data() + space.string()) & 0xffffffff);
}

constexpr std::string_view kPartial = ".partial";

// Removes what processes that are gone left of `path`: PATH.HOST-PROCESS-NUMBER.partial.
void remove_orphans(const fs::path& path, const std::string& host) {
  const std::string prefix = fmt::format("{}.{}-", path.filename().string(), host);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_of(path), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kPartial)) continue;
    pid_t process = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, bad] = std::from_chars(name.data() + prefix.size(), end, process);
    if (bad != std::errc{} || *rest != '-' || process <= 0) continue;
    if (::kill(process, 0) != 0 && errno == ESRCH) fs::remove(entry.path(), error);
  }
}

}  // namespace

void require_replaceable(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::regular || type == fs::file_type::not_found) return;
  if (type == fs::file_type::none)
    fail(ExitCode::usage, "{} cannot be written: {}", path.string(), error.message());
  if (type == fs::file_type::directory)
    fail(ExitCode::usage, "{} is a folder; name a file to write", path.string());
  fail(ExitCode::usage,
       "{} is a device or a pipe, which a file would replace; name a file to write", path.string());
}

AsideFile::AsideFile(const fs::path& path) : path_(followed(path)), partial_(path_) {
  require_replaceable(path_);
  static const std::string host = mark_of_host();
  static std::atomic<int> number{0};
  partial_ += fmt::format(".{}-{}-{}{}", host, ::getpid(), number++, kPartial);
  remove_orphans(path_, host);
}

AsideFile::~AsideFile() {
  if (committed_) return;
  std::error_code ignored;  // the sentence on why nothing was committed matters more
  fs::remove(partial_, ignored);
}

void AsideFile::commit() {
  sync_path(partial_, O_RDONLY);
  if (uninterrupted([&] { return ::rename(partial_.c_str(), path_.c_str()); }) != 0) {
    fail_with_errno("rename to", path_);
  }
  committed_ = true;
  sync_path(folder_of(path_), O_RDONLY | O_DIRECTORY);
}

void write_durably(const fs::path& path, const std::string& text) {
  AsideFile aside(path);
  {
    const Descriptor file(uninterrupted([&] {
      return ::open(aside.partial().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }));
    if (!file.valid()) fail_with_errno("create", aside.partial());
    if (!write_all(file, text.data(), text.size())) fail_with_errno("write", aside.partial());
  }
  aside.commit();
}

void create_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, error)) {
    fail(ExitCode::resource, "cannot create the folder {}: {}", folder.string(),
         error ? error.message() : "a file of that name is in the way");
  }
}

void remove_partials(const fs::path& folder, const std::string& prefix) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".partial")) fs::remove(entry.path(), error);
  }
}

}  // namespace convoy
