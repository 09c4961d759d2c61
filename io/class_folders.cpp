// Lists class folders and reads class lists.
#include "io/class_folders.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <system_error>

#include "core/error.h"
#include "io/dataset_index.h"

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
void add_class(const fs::path& input, const std::string& name, std::int32_t label,
               ClassFolders& found) {
  const std::size_t before = found.files.size();
  bool has_folders = false;
  for (const Entry& entry : entries_of(input / name)) {
    const std::string path = name + "/" + entry.name;
    if (entry.type == fs::file_type::regular) {
      found.files.push_back({path, label});
    } else {
      has_folders = has_folders || entry.type == fs::file_type::directory;
      found.issues.push_back({path, true, "is not a file"});
    }
  }
  if (found.files.size() > before) return;
  const std::string folder = (input / name).string();
  if (has_folders) {
    fail(ExitCode::bad_data, "the class folder {} has folders and no files: {}; is {} the input?",
         folder, layout_hint, folder);
  }
  fail(ExitCode::bad_data, "the class folder {} is empty: put images into it or remove it", folder);
}

using LabelOf = std::map<std::string, std::int32_t, std::less<>>;

LabelOf number(const std::vector<ClassInfo>& classes, const fs::path& source) {
  LabelOf labels;
  for (const ClassInfo& info : classes) {
    const auto label = static_cast<std::int32_t>(labels.size());
    if (!labels.emplace(info.name, label).second) {
      fail(ExitCode::bad_data, "the class list {} has the class {} twice", source.string(),
           info.name);
    }
  }
  return labels;
}

}  // namespace

std::vector<ClassInfo> read_class_list(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return read_index(path).classes;
  std::ifstream in(path);
  if (!in) {
    fail(ExitCode::bad_data, "cannot read the class list {}: {}", path.string(),
         std::strerror(errno));
  }
  constexpr const char* blanks = " \t\r";
  std::vector<ClassInfo> classes;
  for (std::string line; std::getline(in, line);) {
    line.erase(line.find_last_not_of(blanks) + 1);
    if (line.empty()) continue;
    const auto name_end = std::min(line.find_first_of(blanks), line.size());
    const auto words_begin = std::min(line.find_first_not_of(blanks, name_end), line.size());
    classes.push_back({line.substr(0, name_end), line.substr(words_begin)});
  }
  if (classes.empty()) fail(ExitCode::bad_data, "the class list {} is empty", path.string());
  return classes;
}

ClassFolders find_class_folders(const fs::path& input, const fs::path& class_list) {
  std::error_code ignored;
  if (!fs::is_directory(input, ignored)) {
    fail(ExitCode::bad_data, "the input {} is not a folder: {}", input.string(), layout_hint);
  }
  ClassFolders found;
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
  if (class_list.empty()) {
    for (const std::string& name : folders) found.classes.push_back({name, ""});
  } else {
    found.classes = read_class_list(class_list);
  }
  const LabelOf labels = number(found.classes, class_list);
  for (const std::string& name : folders) {
    const auto label = labels.find(name);
    if (label == labels.end()) {
      fail(ExitCode::bad_data,
           "the class folder {} is not in the class list {}, which has {} classes from {} to {}",
           (input / name).string(), class_list.string(), found.classes.size(),
           found.classes.front().name, found.classes.back().name);
    }
    add_class(input, name, label->second, found);
  }
  return found;
}

}  // namespace convoy
