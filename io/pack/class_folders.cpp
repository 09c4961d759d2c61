// Lists class folders and folders of images.
#include "io/pack/class_folders.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"

namespace convoy {
namespace {

namespace fs = std::filesystem;

struct Entry {
  std::string name;
  fs::file_type type;
};

// What is in a folder, sorted, without hidden entries; links count as what they lead to.
std::vector<Entry> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<Entry> entries;
  fs::directory_iterator next(folder, error);
  for (; !error && next != fs::directory_iterator(); next.increment(error)) {
    const std::string name = next->path().filename().string();
    if (name.starts_with('.')) continue;
    std::error_code broken_link;
    entries.push_back({name, next->status(broken_link).type()});
  }
  if (error) {
    fail(ExitCode::bad_data, "cannot read the folder {}: {}", folder.string(), error.message());
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

constexpr const char* layout_hint =
    "images must lie in class folders, as in INPUT/dog/1.jpg and INPUT/cat/2.jpg";

// Adds the files of one class.
void add_class(const fs::path& input, const std::string& name, ImageListing& found) {
  const std::size_t before = found.images.size();
  bool folders = false;
  for (const Entry& entry : entries_of(input / name)) {
    const std::string path = name + "/" + entry.name;
    if (entry.type == fs::file_type::regular) {
      found.images.push_back({.name = path, .class_name = name});
    } else {
      folders = folders || entry.type == fs::file_type::directory;
      found.issues.push_back({path, true, "is not a file"});
    }
  }
  if (found.images.size() > before) return;
  const std::string folder = (input / name).string();
  if (folders) {
    fail(ExitCode::bad_data, "the class folder {} has folders and no files: {}; is {} the input?",
         folder, layout_hint, folder);
  }
  fail(ExitCode::bad_data, "the class folder {} is empty: put images into it or remove it", folder);
}

}  // namespace

ImageListing list_class_folders(const fs::path& input) {
  ImageListing found;
  found.class_prefix = "the class folder " + (input / "").string();
  std::vector<std::string> folders;
  for (const Entry& entry : entries_of(input)) {
    if (entry.type == fs::file_type::directory) {
      folders.push_back(entry.name);
    } else {
      found.issues.push_back({entry.name, true, "is in no class folder"});
    }
  }
  if (folders.empty()) {
    fail(ExitCode::bad_data, "the input {} has no class folders: {}", input.string(), layout_hint);
  }
  for (const std::string& name : folders) add_class(input, name, found);
  return found;
}

ImageListing list_flat_folder(const fs::path& input) {
  ImageListing found;
  for (const Entry& entry : entries_of(input)) {
    if (entry.type == fs::file_type::regular) {
      found.images.push_back({.name = entry.name, .class_name = ""});
    } else {
      found.issues.push_back({entry.name, true, "is not a file"});
    }
  }
  return found;
}

bool has_folders(const fs::path& input) {
  const std::vector<Entry> entries = entries_of(input);
  return std::ranges::any_of(
      entries, [](const Entry& entry) { return entry.type == fs::file_type::directory; });
}

}  // namespace convoy
