// Splits a description into words, and words into numbers.
#include "core/net/statements.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace convoy {
namespace {

constexpr std::size_t kLongestName = 31;  // the record of collectives keeps so much
constexpr std::string_view kBlanks = " \t\r";

template <typename T>
bool parse(std::string_view text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end;
}

// The part of `text` before `separator`, which is taken off with it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

// ASCII's, whatever the locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

}  // namespace

std::vector<Statement> read_statements(std::string_view text, const std::string& name) {
  const bool lines = text.find('\n') != std::string_view::npos;
  std::vector<Statement> statements;
  std::size_t number = 0;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    line = line.substr(0, line.find('#'));
    if (lines) ++number;
    while (!line.empty()) {
      const std::string_view statement = take_until(line, ';');
      if (!lines) ++number;
      if (auto words = words_of(statement); !words.empty())
        statements.push_back(
            {fmt::format("{}, {} {}: ", name, lines ? "line" : "statement", number),
             std::move(words)});
    }
  }
  return statements;
}

std::string StatementReader::shown() const {
  return done() ? "the end of the statement" : "'" + statement_.words[next_] + "'";
}

bool StatementReader::take(std::string_view word) {
  if (done() || statement_.words[next_] != word) return false;
  ++next_;
  return true;
}

std::int64_t StatementReader::whole(std::string_view after, std::int64_t low, std::int64_t high) {
  std::int64_t value = 0;
  if (done() || !parse(statement_.words[next_], value) || value < low || value > high)
    refuse("after '{}' stands {}, where a whole number from {} to {} is needed", after, shown(),
           low, high);
  ++next_;
  return value;
}

double StatementReader::real(std::string_view after, double low, double high) {
  double value = 0;
  if (done() || !parse(statement_.words[next_], value) || !(value >= low && value <= high))
    refuse("after '{}' stands {}, where a number from {} to {} is needed", after, shown(), low,
           high);
  ++next_;
  return value;
}

std::string StatementReader::name() {
  if (done() || !is_name(statement_.words[next_]) || statement_.words[next_].size() > kLongestName)
    refuse(
        "after 'name' stands {}, where a letter and then letters, digits, '-' and '_' are needed,"
        " {} at most",
        shown(), kLongestName);
  return statement_.words[next_++];
}

void StatementReader::attributes(const std::vector<Attribute>& known) {
  std::set<std::string_view> seen;
  while (!done()) {
    const auto found =
        std::ranges::find_if(known, [&](const Attribute& a) { return take(a.word); });
    if (found == known.end()) {
      std::string words;
      for (const Attribute& a : known)
        words += fmt::format("{}{}{}{}", words.empty() ? "" : ", ", a.word,
                             a.takes.empty() ? "" : " ", a.takes);
      refuse("'{}' does not take {}; what may follow it is: {}", kind(), shown(),
             words.empty() ? "nothing" : words);
    }
    if (!seen.insert(found->word).second)
      refuse("'{}' is said twice; leave one of them", found->word);
    found->read();
  }
}

}  // namespace convoy
