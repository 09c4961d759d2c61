// Reads class lists from datasets and text files.
#include "io/dataset/class_list.h"

#include <system_error>

#include "core/error.h"
#include "io/dataset/dataset_index.h"
#include "io/files/text_file.h"

namespace convoy {

std::vector<ClassInfo> read_class_list(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_index(path).classes;
  std::vector<ClassInfo> classes;
  for (const TextLine& line : text_lines(read_small_file(path, "the class list"))) {
    const auto [name, words] = first_word(line.text);
    classes.push_back({name, words});
  }
  if (classes.empty()) fail(ExitCode::bad_data, "the class list {} is empty", path.string());
  return classes;
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
