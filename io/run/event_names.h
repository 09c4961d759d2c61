// What event files are called, and tags by which events are told apart when files are cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

// The first tags of events that come after the checkpoint of their step, and are made again.
inline constexpr const char* kEvaluationTag = "loss/eval";
inline constexpr const char* kConfigTag = "config";

// "events.out.tfevents.NUMBER.convoy": TensorBoard knows files by the part before the number, a
// time in seconds or later.
[[nodiscard]] std::string event_file_name(std::int64_t number);
// Of a name of event_files(); of a number that is too long, its first 18 digits.
[[nodiscard]] std::int64_t event_file_number(const std::filesystem::path& file);
// Those of a folder, earliest first; none where it is missing. Throws Error(resource).
[[nodiscard]] std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);

}  // namespace convoy
