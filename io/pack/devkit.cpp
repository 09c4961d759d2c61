// Finds and reads what packing needs of a devkit: folder, archive, meta.mat or text list.
#include "io/pack/devkit.h"

#include <charconv>
#include <memory>
#include <set>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>

#include "core/error.h"
#include "io/files/text_file.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

constexpr const char* meta_name = "meta.mat";
constexpr const char* ground_truth_end = "validation_ground_truth.txt";

// The two files, as bytes.
struct DevkitFiles {
  std::string meta;
  std::string ground_truth;

  // Where a file of that name belongs; null: nowhere.
  std::string* place(const fs::path& name) {
    if (name.filename() == meta_name) return &meta;
    return name.filename().string().ends_with(ground_truth_end) ? &ground_truth : nullptr;
  }
};

DevkitFiles from_folder(const fs::path& path) {
  DevkitFiles files;
  std::error_code error;
  fs::recursive_directory_iterator next(path, error);
  for (; !error && next != fs::recursive_directory_iterator(); next.increment(error)) {
    std::string* const place = files.place(next->path());
    if (place != nullptr) *place = read_small_file(next->path(), "the devkit's file");
  }
  if (error) {
    fail(ExitCode::bad_data, "cannot read the folder {}: {}", path.string(), error.message());
  }
  return files;
}

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

DevkitFiles from_archive(const std::string& bytes, const fs::path& path) {
  constexpr la_int64_t largest = la_int64_t{1} << 28;
  const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  const auto damaged = [&] {
    const char* reason = archive_error_string(reader.get());
    fail(ExitCode::bad_data, "the devkit {} is no tar, meta.mat or text list, or is damaged: {}",
         path.string(), reason == nullptr ? "nothing in it makes sense" : reason);
  };
  // Not all filters: for some the library starts a program of the system on bytes of anybody.
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) damaged();
  DevkitFiles files;
  for (archive_entry* entry = nullptr;;) {
    const int result = archive_read_next_header(reader.get(), &entry);
    if (result == ARCHIVE_EOF) return files;
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) damaged();
    const char* name = archive_entry_pathname(entry);
    std::string* const place = files.place(name == nullptr ? "" : name);
    if (place == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0 || size > largest) {
      fail(ExitCode::bad_data, "the devkit {} has a file {} of {} bytes", path.string(), name,
           size);
    }
    place->resize(static_cast<std::size_t>(size));
    if (archive_read_data(reader.get(), place->data(), place->size()) != size) damaged();
  }
}

// Lines "ID WNID words".
std::map<std::int64_t, ClassInfo> parse_id_list(const std::string& text, const fs::path& path) {
  std::map<std::int64_t, ClassInfo> classes;
  for (const TextLine& line : text_lines(text)) {
    const auto [id_text, rest] = first_word(line.text);
    const auto [wnid, words] = first_word(rest);
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(id_text.data(), id_text.data() + id_text.size(), id);
    if (error != std::errc() || end != id_text.data() + id_text.size() || id < 1 || wnid.empty()) {
      fail(ExitCode::bad_data, "line {} of {} must be 'ID WNID words', not '{}'", line.number,
           path.string(), line.text);
    }
    if (id > last_ilsvrc_id) continue;
    if (!classes.emplace(id, ClassInfo{wnid, words}).second) {
      fail(ExitCode::bad_data, "line {} of {} has the id {} again", line.number, path.string(), id);
    }
  }
  return classes;
}

}  // namespace

Devkit read_devkit(const fs::path& path) {
  Devkit devkit;
  devkit.path = path;
  std::error_code ignored;
  DevkitFiles files;
  if (fs::is_directory(path, ignored)) {
    files = from_folder(path);
  } else {
    std::string bytes = read_small_file(path, "the devkit");
    if (bytes.starts_with("MATLAB ")) {
      files.meta = std::move(bytes);
    } else if (is_text(bytes)) {
      devkit.classes = parse_id_list(bytes, path);
    } else {
      files = from_archive(bytes, path);
    }
  }
  if (!files.meta.empty()) {
    devkit.classes = parse_meta_mat(files.meta, fmt::format("{} of {}", meta_name, path.string()));
  }
  devkit.ground_truth = std::move(files.ground_truth);
  if (devkit.classes.empty()) {
    fail(ExitCode::bad_data,
         "the devkit {} names no classes: it must have a {}, or be a list of lines 'ID WNID words'",
         path.string(), meta_name);
  }
  std::set<std::string> names;
  for (const auto& [id, info] : devkit.classes) {
    if (!names.insert(info.name).second) {
      fail(ExitCode::bad_data, "the devkit {} has the WNID {} twice", path.string(), info.name);
    }
  }
  return devkit;
}

}  // namespace convoy
