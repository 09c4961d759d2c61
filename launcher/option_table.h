// A table of options: each row binds a key ("solver.batch") to a field, with what the value may be
// and what it means. Command line, INI files, help and config.ini are all made from the rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

namespace convoy {

struct Option {
  std::string key;          // stands as --KEY on the command line and as KEY in INI files
  std::string placeholder;  // of the value in the help: N, DIR, sgd|adam; empty for a flag
  std::string expected;     // completes "must be ...": "a whole number of at least 1"
  std::string description;  // what it means, with its unit
  std::function<bool(const std::string&)> set;  // false, and the field as it was: not `expected`
  std::function<std::string()> get;             // the value so that set() reads it back exactly
  std::vector<std::string> choices = {};        // all values there are; empty: not a few words
  bool is_path = false;                         // of a file or folder

  [[nodiscard]] bool is_flag() const { return placeholder.empty(); }
  // "solver" of solver.batch; empty for keys that stand before any section.
  [[nodiscard]] std::string section() const {
    const std::size_t dot = key.find('.');
    return dot == std::string::npos ? "" : key.substr(0, dot);
  }
};

// The values a number may take; open ends do not belong to them.
template <typename T>
struct Bounds {
  T low = std::numeric_limits<T>::lowest();
  T high = std::numeric_limits<T>::max();
  bool low_open = false;
  bool high_open = false;

  [[nodiscard]] bool contain(T value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
  [[nodiscard]] std::string text() const;  // " of at least 1", " from 0 to below 1", ""
};

// Texts to values; false where the text is anything else. No signs of plus, no spaces, no NaN.
[[nodiscard]] bool parse_value(std::string_view text, std::int64_t& value);
[[nodiscard]] bool parse_value(std::string_view text, std::uint64_t& value);
[[nodiscard]] bool parse_value(std::string_view text, int& value);
[[nodiscard]] bool parse_value(std::string_view text, double& value);
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);

class OptionTable {
 public:
  // All fields are referred to, not copied: they must outlive the table and stay in place.
  template <typename T>
  void number(std::string key, T& field, Bounds<T> bounds, std::string description);
  template <typename T, std::size_t count>
  void list(std::string key, std::array<T, count>& field, Bounds<T> bounds,
            std::string description);
  void boolean(std::string key, bool& field, std::string description);
  void flag(std::string key, bool& field, std::string description);  // no value: there or not
  void choice(std::string key, std::string& field, std::vector<std::string> choices,
              std::string description);
  void choice(std::string key, int& field, std::vector<int> choices, std::string description);
  void path(std::string key, std::filesystem::path& field, std::string placeholder,
            std::string description);
  // Any text that `accepts` takes.
  void text(std::string key, std::string& field, std::string placeholder, std::string expected,
            std::function<bool(const std::string&)> accepts, std::string description);
  // Any text; the field holds what `meaning` makes of it, or throws about.
  void mapped(std::string key, std::string& field, std::string placeholder,
              std::function<std::string(const std::string&)> meaning, std::string description);

  // Adds the rows of `other` whose key `chosen` names, or all of them.
  void add(const OptionTable& other);
  void add(const OptionTable& other, const std::vector<std::string>& chosen);

  [[nodiscard]] const std::vector<Option>& options() const { return options_; }
  [[nodiscard]] const Option* find(std::string_view key) const;  // null: no such key
  [[nodiscard]] std::vector<std::string> keys() const;
  // The sections in the order of their first key; "", for the keys outside any, always first.
  [[nodiscard]] std::vector<std::string> sections() const;
  // The value of a key as it is now; the key must exist.
  [[nodiscard]] std::string value(std::string_view key) const;

 private:
  void add(Option option);
  std::vector<Option> options_;
};

template <typename T>
std::string Bounds<T>::text() const {
  const bool below = high != std::numeric_limits<T>::max();
  const bool above = low != std::numeric_limits<T>::lowest() || std::is_unsigned_v<T>;
  if (above && below) {
    return fmt::format(" from {}{} to {}{}", low_open ? "above " : "", low,
                       high_open ? "below " : "", high);
  }
  if (above) return fmt::format(" {} {}", low_open ? "above" : "of at least", low);
  if (below) return fmt::format(" {} {}", high_open ? "below" : "of at most", high);
  return {};
}

template <typename T>
[[nodiscard]] constexpr std::string_view kind_of_number(bool several) {
  if constexpr (std::numeric_limits<T>::is_integer) {
    return several ? "whole numbers" : "a whole number";
  } else {
    return several ? "numbers" : "a number";
  }
}

template <typename T>
void OptionTable::number(std::string key, T& field, Bounds<T> bounds, std::string description) {
  const auto set = [&field, bounds](const std::string& text) {
    T value{};
    if (!parse_value(text, value) || !bounds.contain(value)) return false;
    field = value;
    return true;
  };
  add({std::move(key), std::numeric_limits<T>::is_integer ? "N" : "X",
       fmt::format("{}{}", kind_of_number<T>(false), bounds.text()), std::move(description), set,
       [&field] { return fmt::format("{}", field); }});
}

template <typename T, std::size_t count>
void OptionTable::list(std::string key, std::array<T, count>& field, Bounds<T> bounds,
                       std::string description) {
  const auto set = [&field, bounds](const std::string& text) {
    const std::vector<std::string> parts = split(text, ',');
    if (parts.size() != count) return false;
    std::array<T, count> values{};
    for (std::size_t i = 0; i < count; ++i) {
      if (!parse_value(parts[i], values[i]) || !bounds.contain(values[i])) return false;
    }
    field = values;
    return true;
  };
  const std::string letter = std::numeric_limits<T>::is_integer ? "N" : "X";
  add({std::move(key), letter + "," + letter + ",...",
       fmt::format("{} {}{}, separated by commas", count, kind_of_number<T>(true), bounds.text()),
       std::move(description), set, [&field] { return fmt::format("{}", fmt::join(field, ",")); }});
}

}  // namespace convoy
