// The rows that are not templates, and texts to numbers without locale or rounding surprises.
#include "launcher/option_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <utility>

#include <fmt/ranges.h>

namespace convoy {
namespace {

template <typename T>
bool parse_with_from_chars(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end && !text.empty();
}

// "a, b or c"
std::string alternatives(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

// config.ini holds every value: what its format would cut off or trim cannot be accepted.
bool fits_an_ini_line(const std::string& text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  return text.find_first_of("#\n\r") == std::string::npos &&
         (text.empty() || (!blank(text.front()) && !blank(text.back())));
}

}  // namespace

bool parse_value(std::string_view text, std::int64_t& value) {
  return parse_with_from_chars(text, value);
}
bool parse_value(std::string_view text, std::uint64_t& value) {
  return parse_with_from_chars(text, value);
}
bool parse_value(std::string_view text, int& value) { return parse_with_from_chars(text, value); }
bool parse_value(std::string_view text, double& value) {
  return parse_with_from_chars(text, value) && std::isfinite(value);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

void OptionTable::boolean(std::string key, bool& field, std::string description) {
  const auto set = [&field](const std::string& text) {
    if (text != "true" && text != "false") return false;
    field = text == "true";
    return true;
  };
  add({std::move(key),
       "true|false",
       "true or false",
       std::move(description),
       set,
       [&field] { return std::string(field ? "true" : "false"); },
       {"true", "false"}});
}

void OptionTable::flag(std::string key, bool& field, std::string description) {
  boolean(std::move(key), field, std::move(description));
  options_.back().placeholder.clear();
  options_.back().choices.clear();
}

void OptionTable::choice(std::string key, std::string& field, std::vector<std::string> choices,
                         std::string description) {
  const std::string placeholder = fmt::format("{}", fmt::join(choices, "|"));
  const std::string expected = alternatives(choices);
  const auto set = [&field, choices](const std::string& text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) return false;
    field = text;
    return true;
  };
  add({std::move(key), placeholder, expected, std::move(description), set,
       [&field] { return field; }, std::move(choices)});
}

void OptionTable::choice(std::string key, int& field, std::vector<int> choices,
                         std::string description) {
  std::vector<std::string> names;
  for (const int value : choices) names.push_back(std::to_string(value));
  const auto set = [&field, choices = std::move(choices)](const std::string& text) {
    int value = 0;
    if (!parse_value(text, value)) return false;
    if (std::find(choices.begin(), choices.end(), value) == choices.end()) return false;
    field = value;
    return true;
  };
  add({std::move(key), fmt::format("{}", fmt::join(names, "|")), alternatives(names),
       std::move(description), set, [&field] { return std::to_string(field); }, names});
}

void OptionTable::path(std::string key, std::filesystem::path& field, std::string placeholder,
                       std::string description) {
  const auto set = [&field](const std::string& text) {
    if (!fits_an_ini_line(text)) return false;
    field = text;
    return true;
  };
  add({std::move(key),
       std::move(placeholder),
       "a path without '#', line breaks, and blanks at its ends (config.ini could not hold it)",
       std::move(description),
       set,
       [&field] { return field.string(); },
       {},
       true});
}

void OptionTable::text(std::string key, std::string& field, std::string placeholder,
                       std::string expected, std::function<bool(const std::string&)> accepts,
                       std::string description) {
  const auto set = [&field, accepts = std::move(accepts)](const std::string& text) {
    if (!fits_an_ini_line(text) || !accepts(text)) return false;
    field = text;
    return true;
  };
  add({std::move(key), std::move(placeholder), std::move(expected), std::move(description), set,
       [&field] { return field; }});
}

void OptionTable::mapped(std::string key, std::string& field, std::string placeholder,
                         std::function<std::string(const std::string&)> meaning,
                         std::string description) {
  const auto set = [&field, meaning = std::move(meaning)](const std::string& text) {
    if (text.find_first_of("#\n\r") != std::string::npos) return false;
    field = meaning(text);
    return true;
  };
  add({std::move(key), std::move(placeholder), "one line without '#'", std::move(description), set,
       [&field] { return field; }});
}

void OptionTable::add(Option option) {
  if (find(option.key) != nullptr) {
    throw std::logic_error(fmt::format("the option {} is registered twice", option.key));
  }
  options_.push_back(std::move(option));
}

void OptionTable::add(const OptionTable& other) {
  for (const Option& option : other.options_) add(option);
}

void OptionTable::add(const OptionTable& other, const std::vector<std::string>& chosen) {
  for (const std::string& key : chosen) {
    const Option* const option = other.find(key);
    if (option == nullptr) throw std::logic_error(fmt::format("there is no option {}", key));
    add(*option);
  }
}

const Option* OptionTable::find(std::string_view key) const {
  const auto at = std::find_if(options_.begin(), options_.end(),
                               [&](const Option& option) { return option.key == key; });
  return at == options_.end() ? nullptr : &*at;
}

std::vector<std::string> OptionTable::keys() const {
  std::vector<std::string> keys;
  for (const Option& option : options_) keys.push_back(option.key);
  return keys;
}

std::vector<std::string> OptionTable::sections() const {
  std::vector<std::string> sections{""};
  for (const Option& option : options_) {
    const std::string section = option.section();
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
      sections.push_back(section);
    }
  }
  return sections;
}

std::string OptionTable::value(std::string_view key) const {
  const Option* const option = find(key);
  if (option == nullptr) throw std::logic_error(fmt::format("there is no option {}", key));
  return option->get();
}

}  // namespace convoy
