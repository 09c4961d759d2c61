// Checks of a file that a killed process may have left in any state.
#include "dist/watch/record_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <signal.h>

#include "core/error.h"
#include "dist/watch/collective_record.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

void require(bool holds, const fs::path& path, const std::string& what) {
  if (!holds)
    fail(ExitCode::bad_data, "{} is not a whole record of collectives: {}", path.string(), what);
}

void check_header(const record::Header& header, const fs::path& path) {
  require(header.magic == record::kMagic, path, "it does not begin as one");
  require(header.version == record::kVersion, path,
          fmt::format("it is of version {}, this Convoy reads version {}", header.version.load(),
                      record::kVersion));
  require(header.bytes == sizeof(record::Image), path, "its length is not that of its version");
  require(
      header.ranks >= 1 && header.ranks < 1U << 31 && header.rank < header.ranks, path,
      fmt::format("it says that it is of rank {} of {}", header.rank.load(), header.ranks.load()));
  require(header.state >= 1 && header.state <= 3, path, "its state is unknown");
}

void check_slots(const record::Image& image, const fs::path& path) {
  for (std::size_t i = 0; i < record::kSlots; ++i) {
    const record::Slot& slot = image.slots[i];
    if (slot.sequence == 0) continue;
    require(slot.sequence % record::kSlots == i && slot.sequence <= image.header.entered &&
                slot.state >= 1 && slot.state <= 4,
            path, fmt::format("its entry {} is damaged", i));
  }
}

}  // namespace

RecordFile::RecordFile(const fs::path& path) : image_(std::make_unique<record::Image>()) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(ExitCode::bad_data, "{} cannot be read: {}", path.string(), std::strerror(errno));
  in.read(reinterpret_cast<char*>(image_.get()), sizeof(record::Image));
  require(static_cast<std::size_t>(in.gcount()) == sizeof(record::Image), path,
          fmt::format("it has {} bytes instead of {}", in.gcount(), sizeof(record::Image)));
  check_header(image_->header, path);
  check_slots(*image_, path);
}

bool RecordFile::process_lives() const {
  const record::Header& header = image_->header;
  return header.boot.load() == boot_of_host() && header.process > 1 &&
         (kill(static_cast<pid_t>(header.process.load()), 0) == 0 || errno == EPERM);
}

RecordSet read_records(const fs::path& folder) {
  RecordSet set;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("rank-") || entry.path().extension() == ".partial") continue;
    try {
      set.ranks.emplace_back(entry.path());
    } catch (const Error& problem) {
      set.problems.emplace_back(problem.what());
    }
  }
  if (set.ranks.empty()) return set;
  const auto job = [](const RecordFile& file) { return file.image().header.job.load(); };
  const std::uint64_t newest = job(*std::ranges::max_element(set.ranks, {}, job));
  if (const auto old =
          std::erase_if(set.ranks, [&](const auto& file) { return job(file) != newest; });
      old > 0)
    set.problems.push_back(fmt::format("{} records of an earlier start are left out", old));
  std::ranges::sort(set.ranks, {},
                    [](const RecordFile& file) { return file.image().header.rank.load(); });
  return set;
}

}  // namespace convoy
