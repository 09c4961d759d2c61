// Names, links and removes checkpoint files.
#include "dist/checkpoint/kept_checkpoints.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "io/files/durable.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";

std::optional<std::int64_t> step_of(const fs::path& path) {
  const std::string stem = path.stem().string();
  if (path.extension() != ".h5" || !stem.starts_with(kPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* const end = stem.data() + stem.size();
  const auto [rest, error] = std::from_chars(stem.data() + kPrefix.size(), end, step);
  if (error != std::errc{} || rest != end) return std::nullopt;
  return step;
}

}  // namespace

std::vector<StepFile> checkpoints_in(const fs::path& folder) {
  std::vector<StepFile> files;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(folder, missing)) {
    if (const auto step = step_of(entry.path())) files.push_back({*step, entry.path()});
  }
  std::ranges::sort(files, std::ranges::greater{}, &StepFile::step);
  return files;
}

KeptCheckpoints::KeptCheckpoints(fs::path folder, std::int64_t keep, bool keep_best,
                                 std::int64_t newest)
    : folder_(std::move(folder)),
      keep_(keep),
      keep_best_(keep_best),
      newest_(newest),
      proven_(newest - 1) {}

fs::path KeptCheckpoints::path(std::int64_t step) const {
  return folder_ / fmt::format("{}{:08}.h5", kPrefix, step);
}

void KeptCheckpoints::written(std::int64_t step) {
  newest_ = std::max(newest_, step);
  link_best();
  remove_old();
}

void KeptCheckpoints::best(std::int64_t step) {
  if (keep_best_) best_ = step;
  link_best();
}

void KeptCheckpoints::proven(std::int64_t step) {
  const bool news = proven_ < newest_ && newest_ <= step;
  proven_ = step;
  if (news) remove_old();
}

fs::path KeptCheckpoints::last_good() const {
  for (const StepFile& file : checkpoints_in(folder_)) {
    if (file.step <= std::min(newest_, proven_)) return file.path;
  }
  return {};
}

void KeptCheckpoints::link_best() {
  if (!best_ || *best_ > newest_) return;
  const fs::path from = path(*std::exchange(best_, std::nullopt));
  AsideFile aside(folder_ / "best.h5");
  std::error_code error;
  fs::remove(aside.partial(), error);
  fs::create_hard_link(from, aside.partial(), error);
  if (error) fs::copy_file(from, aside.partial(), error);  // not every file system has links
  if (error) {
    fail(ExitCode::resource, "cannot keep {} as {}: {}", from.string(), aside.path().string(),
         error.message());
  }
  aside.commit();
}

void KeptCheckpoints::remove_old() const {
  if (keep_ == 0) return;
  const fs::path good = last_good();
  std::int64_t seen = 0;
  for (const StepFile& file : checkpoints_in(folder_)) {
    if (file.step > newest_ || ++seen <= keep_ || file.path == good) continue;
    fs::remove(file.path);
  }
}

}  // namespace convoy
