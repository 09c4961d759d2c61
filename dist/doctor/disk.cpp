// Times a write, and asks Slurm for its patience.
#include "dist/doctor/disk.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "io/files/descriptor.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBytes = std::size_t{64} << 20;

std::string output_of(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command, "r"), pclose);
  if (!pipe) return "";
  std::string text;
  std::array<char, 4096> part{};
  while (std::fgets(part.data(), static_cast<int>(part.size()), pipe.get()) != nullptr)
    text += part.data();
  return text;
}

// 0, or the system's reason.
int write_synced(const fs::path& path, const std::vector<char>& data) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return errno;
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t now = write(file.get(), data.data() + done, data.size() - done);
    if (now < 0) return errno;
    done += static_cast<std::size_t>(now);
  }
  return fsync(file.get()) == 0 ? 0 : errno;
}

}  // namespace

DiskFacts examine_disk(const fs::path& run_dir) {
  DiskFacts facts;
  std::error_code error;
  facts.folder = fs::absolute(run_dir, error);
  while (!fs::exists(facts.folder, error) && facts.folder.has_relative_path())
    facts.folder = facts.folder.parent_path();
  facts.free_bytes = static_cast<double>(fs::space(facts.folder, error).available);
  if (error) {
    facts.fault = error.message();
    return facts;
  }
  const fs::path path = facts.folder / fmt::format(".convoy-doctor-{}", getpid());
  const std::vector<char> data(kBytes, 'c');
  const auto start = std::chrono::steady_clock::now();
  const int reason = write_synced(path, data);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  fs::remove(path, error);
  if (reason != 0) facts.fault = std::strerror(reason);
  facts.bytes_per_second = static_cast<double>(kBytes) / passed.count();
  return facts;
}

std::optional<double> seconds_of(const std::string& text, const std::string& key) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    if (at > 0 && !is_space(text[at - 1])) continue;
    std::size_t next = at + key.size();
    while (next < text.size() && is_space(text[next])) ++next;
    if (next == text.size() || text[next] != '=') continue;
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str() + next + 1, &end);
    if (end != text.c_str() + next + 1) return seconds;
  }
  return {};
}

std::optional<double> slurm_seconds_to_end() {
  if (std::getenv("SLURM_JOB_ID") == nullptr) return {};
  const auto kill_wait = seconds_of(output_of("scontrol show config 2>/dev/null"), "KillWait");
  const auto grace = seconds_of(
      output_of("scontrol show partition \"$SLURM_JOB_PARTITION\" 2>/dev/null"), "GraceTime");
  if (!kill_wait) return grace;
  return std::max(*kill_wait, grace.value_or(0));
}

}  // namespace convoy
