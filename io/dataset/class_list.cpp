// Reads class lists from datasets and text files.
#include "io/dataset/class_list.h"

#include <system_error>

#include "core/error.h"
#include "io/dataset/dataset_index.h"
#include "io/files/text_file.h"

namespace convoy {
namespace {

bool is_part_of_line(const std::string& text) {
  return is_text(text) && text.find_first_of("\r\n") == std::string::npos;
}

}  // namespace

std::vector<ClassInfo> read_class_list(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_index(path).classes;
  std::vector<ClassInfo> classes;
  for (const TextLine& line : text_lines(read_small_file(path, "the class list"))) {
    const auto [name, words] = first_word(line.text);
    classes.push_back({name, words});
  }
  if (classes.empty()) fail(ExitCode::bad_data, "the class list {} is empty", path.string());
  require_class_list(classes, path);
  return classes;
}

void require_class_list(const std::vector<ClassInfo>& classes,
                        const std::filesystem::path& source) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const ClassInfo& info = classes[i];
    if (info.name.empty()) {
      fail(ExitCode::bad_data, "the class list {} has no name for class {}, counted from 0",
           source.string(), i);
    }
    if (!is_part_of_line(info.name) || !is_part_of_line(info.words)) {
      fail(ExitCode::bad_data, "the class list {} has control characters in the class {}",
           source.string(), info.name);
    }
  }
  static_cast<void>(number_classes(classes, source));
}

LabelOf number_classes(const std::vector<ClassInfo>& classes, const std::filesystem::path& source) {
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

void name_outputs(std::vector<ClassInfo>& classes, std::int64_t outputs) {
  for (auto i = std::ssize(classes); i < outputs; ++i)
    classes.push_back({fmt::format("class-{}", i), ""});
}

}  // namespace convoy
