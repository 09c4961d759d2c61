// Class lists: which classes a dataset has, in the order of their labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"

namespace convoy {

// The classes of a dataset (a folder), or of a text file: a line a class, its name, then after a
// space or tab its words. Throws Error(bad_data), also for a text file that require_class_list
// refuses.
[[nodiscard]] std::vector<ClassInfo> read_class_list(const std::filesystem::path& path);

// Throws Error(bad_data), naming `source`, for a class without a name, for control characters, and
// where a class stands twice.
void require_class_list(const std::vector<ClassInfo>& classes, const std::filesystem::path& source);

using LabelOf = std::map<std::string, std::int32_t, std::less<>>;

// The label of each name. Throws Error(bad_data), naming `source`, where a class stands twice.
[[nodiscard]] LabelOf number_classes(const std::vector<ClassInfo>& classes,
                                     const std::filesystem::path& source);

// Gives plain names to those of a net's outputs that the list does not reach: class-4 for output 4,
// counted from 0. A net may have more outputs than its training set had classes.
void name_outputs(std::vector<ClassInfo>& classes, std::int64_t outputs);

}  // namespace convoy
