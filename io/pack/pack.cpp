// Packs a source of images into shards and an index.
#include "io/pack/pack.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "core/device.h"
#include "core/error.h"
#include "io/dataset/dataset_index.h"
#include "io/dataset/shard.h"
#include "io/files/durable.h"
#include "io/pack/image_packer.h"
#include "io/pack/pack_plan.h"
#include "io/pack/pack_record.h"
#include "io/pack/pack_report.h"
#include "io/pack/pack_source.h"
#include "io/run/progress.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

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
  if (fs::exists(index_path(output), ignored) && !fs::exists(plan_path(output), ignored)) {
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

// Without a plan beside them, shards are somebody else's.
void refuse_foreign_shards(const fs::path& output) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(output, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("shard-") || !name.ends_with(".h5")) continue;
    fail(ExitCode::usage,
         "the output {} holds {}, which no unfinished pack of this version has left: remove it or "
         "choose another folder",
         output.string(), name);
  }
}

std::string describe(const PackOptions& options) {
  std::string text = fmt::format("convoy pack --input {} --size {} --seed {}",
                                 options.input.string(), options.size, options.seed);
  const auto add = [&text](const char* key, const std::string& value) {
    if (!value.empty()) text += fmt::format(" {} {}", key, value);
  };
  add("--classes", options.classes.string());
  add("--labels", options.labels.string());
  add("--devkit", options.devkit.string());
  if (options.encoding == "jpeg") {
    text += fmt::format(" --data.encoding jpeg --data.jpeg-quality {}", options.jpeg_quality);
  }
  return text;
}

// Network file systems may take a while to show what another host has written. Returns when the
// file is there, or after a minute.
void await_file(const fs::path& path) {
  constexpr auto pause = std::chrono::milliseconds(200);
  constexpr auto patience = std::chrono::seconds(60);
  const auto end = std::chrono::steady_clock::now() + patience;
  std::error_code ignored;
  while (!fs::exists(path, ignored) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(pause);
  }
}

// One rank's part in packing a dataset.
class Packing {
 public:
  Packing(const PackOptions& options, const PackTeam& team)
      : options_(options),
        team_(team),
        source_(open_pack_source(options, team.rank != 0)),
        plan_(options, *source_) {}

  PackReport run() {
    prepare_output();
    const std::vector<std::int64_t> shards = share_of_the_rest();
    team_.barrier();  // no rank finishes a shard while another still looks which are
    pack_shards(shards);
    team_.barrier();  // every shard has its record
    return team_.rank == 0 ? finish() : PackReport{};
  }

 private:
  void prepare_output();
  [[nodiscard]] std::vector<std::int64_t> share_of_the_rest() const;
  void pack_shards(const std::vector<std::int64_t>& shards) const;
  PageBytes write(std::int64_t shard, PackedShard packed) const;
  PackReport finish() const;
  void remove_side_files() const;
  [[nodiscard]] PackReport report_on(const DatasetIndex& index,
                                     std::vector<PackIssue> issues) const;
  // A dataset whose side files alone are left: it was stopped while it removed them.
  [[nodiscard]] bool complete() const {
    std::error_code ignored;
    return fs::exists(index_path(options_.output), ignored);
  }

  const PackOptions& options_;
  const PackTeam& team_;
  std::unique_ptr<PackSource> source_;
  PackPlan plan_;
};

// Rank 0 claims the output and clears it of half-written files.
void Packing::prepare_output() {
  if (team_.rank == 0) {
    const fs::path& output = options_.output;
    create_folders(output);
    std::error_code ignored;
    if (!fs::exists(plan_path(output), ignored)) refuse_foreign_shards(output);
    plan_.claim(output);
    for (const char* prefix : {"shard-", "index.h5", "report.jsonl", "unfinished.json"}) {
      remove_partials(output, prefix);
    }
  }
  team_.barrier();
  if (team_.rank == 0) return;
  await_file(plan_path(options_.output));
  plan_.check_same(options_.output);
}

std::vector<std::int64_t> Packing::share_of_the_rest() const {
  if (complete()) return {};
  std::vector<std::int64_t> rest;
  for (std::int64_t shard = 0; shard < plan_.shards(); ++shard) {
    if (!read_record(options_.output, shard, plan_.fingerprint())) rest.push_back(shard);
  }
  if (team_.rank == 0 && std::ssize(rest) < plan_.shards()) {
    spdlog::info("{} of {} shards are finished; going on with the others",
                 plan_.shards() - std::ssize(rest), plan_.shards());
  }
  std::vector<std::int64_t> mine;
  for (auto i = static_cast<std::size_t>(team_.rank); i < rest.size();
       i += static_cast<std::size_t>(team_.size)) {
    mine.push_back(rest[i]);
  }
  return mine;
}

void Packing::pack_shards(const std::vector<std::int64_t>& shards) const {
  const int share = std::max(1, usable_cores() / std::max(1, team_.ranks_on_host));
  ImagePacker images(*source_, options_, options_.threads > 0 ? options_.threads : share);
  std::int64_t total = 0;
  for (const std::int64_t shard : shards) total += plan_.count_of(shard);
  Progress progress("Packing", "images", total, team_.rank != 0);
  // The disk writes a shard while the cores make the next; memory is that of two shards.
  std::future<PageBytes> written;
  PageBytes memory;
  std::int64_t before = 0;
  for (const std::int64_t shard : shards) {
    PackedShard packed = images.pack(
        plan_.images_of(shard), [&](std::int64_t done) { progress.update(before + done); },
        std::move(memory));
    if (written.valid()) memory = written.get();
    written = std::async(
        std::launch::async,
        [this, shard](PackedShard made) { return write(shard, std::move(made)); },
        std::move(packed));
    before += plan_.count_of(shard);
    progress.update(before);
  }
  if (written.valid()) static_cast<void>(written.get());
}

// Returns the images' memory, for another shard.
PageBytes Packing::write(std::int64_t shard, PackedShard packed) const {
  const ShardContent& content = packed.content;
  ShardRecord record;
  record.shard = {shard_name(shard), std::ssize(content.labels),
                  shard_checksum(content.checksums, content.labels)};
  record.class_counts.assign(source_->listing().classes.size(), 0);
  for (const std::int32_t label : content.labels) {
    ++record.class_counts[static_cast<std::size_t>(label)];
  }
  record.sums = std::move(packed.statistics);
  record.issues = std::move(packed.issues);
  if (record.shard.images > 0) {
    const fs::path path = options_.output / record.shard.file;
    write_shard(path, content);
    record.file_bytes = static_cast<std::int64_t>(fs::file_size(path));
  }
  write_record(options_.output, shard, plan_.fingerprint(), record);
  return std::move(packed.stored);
}

PackReport Packing::report_on(const DatasetIndex& index, std::vector<PackIssue> issues) const {
  PackReport report;
  report.packed = index.images();
  report.left_out = plan_.images() - report.packed;
  report.shards = std::ssize(index.shards);
  report.classes = std::ssize(index.classes);
  report.issues = std::move(issues);
  return report;
}

PackReport Packing::finish() const {
  const fs::path& output = options_.output;
  if (complete()) {
    PackReport report = report_on(read_index(output), read_report(output));
    remove_side_files();
    return report;
  }
  DatasetIndex index;
  index.image_size = options_.size;
  index.encoding = options_.encoding == "jpeg" ? Encoding::jpeg : Encoding::raw;
  index.classes = source_->listing().classes;
  index.class_counts.assign(index.classes.size(), 0);
  index.description = describe(options_);
  std::vector<PackIssue> issues = source_->listing().issues;
  PixelStatistics statistics(options_.size);
  for (std::int64_t shard = 0; shard < plan_.shards(); ++shard) {
    await_file(record_path(output, shard));
    auto record = read_record(output, shard, plan_.fingerprint());
    if (!record) {
      fail(ExitCode::resource,
           "{} is not to be seen from rank 0, though its rank has written it: all ranks must "
           "write into the same folder",
           record_path(output, shard).string());
    }
    statistics.add(record->sums);
    for (std::size_t label = 0; label < index.class_counts.size(); ++label) {
      index.class_counts[label] += record->class_counts[label];
    }
    std::ranges::move(record->issues, std::back_inserter(issues));
    if (record->shard.images > 0) index.shards.push_back(record->shard);
  }
  std::ranges::stable_sort(issues, {}, &PackIssue::file);
  if (index.images() == 0) {
    remove_side_files();
    fail(ExitCode::bad_data, "none of the {} files in {} is an image that can be used: {} {}",
         plan_.images(), options_.input.string(), issues.front().file, issues.front().what);
  }
  index.mean_image = statistics.mean_image();
  index.mean_rgb = statistics.mean_rgb();
  index.pca = statistics.pca();
  write_report(output, issues);
  write_index(output, index);
  remove_side_files();
  return report_on(index, std::move(issues));
}

// The plan goes last: as long as it is there, a next start looks for the others.
void Packing::remove_side_files() const {
  std::error_code error;
  for (std::int64_t shard = 0; shard < plan_.shards() && !error; ++shard) {
    fs::remove(record_path(options_.output, shard), error);
  }
  if (!error) fs::remove(plan_path(options_.output), error);
  if (error) {
    fail(ExitCode::resource, "cannot remove the side files of packing from {}: {}",
         options_.output.string(), error.message());
  }
}

}  // namespace

PackReport pack(const PackOptions& options, const PackTeam& team) {
  check_options(options);
  return Packing(options, team).run();
}

}  // namespace convoy
