// Aligns columns by displayed characters and formats numbers for people.
#include "launcher/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace convoy {
namespace {

constexpr std::size_t kGap = 2;  // spaces between columns

// Characters of UTF-8 text: bytes that do not continue one (class names need not be ASCII).
std::size_t displayed(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void trim_end(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

void TextTable::row(std::vector<std::string> cells) {
  if (cells.size() > columns_.size()) throw std::out_of_range("a table row has too many cells");
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

void TextTable::rule() { rows_.emplace_back(); }

std::string TextTable::text() const {
  std::vector<std::size_t> widths;
  std::size_t total = 0;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = displayed(columns_[c].title);
    for (const auto& row : rows_) {
      if (!row.empty()) width = std::max(width, displayed(row[c]));
    }
    widths.push_back(width);
    total += width + (c == 0 ? 0 : kGap);
  }

  std::string text;
  const auto add = [&](auto cell_of) {
    std::string line;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::string& cell = cell_of(c);
      const std::string padding(widths[c] - displayed(cell), ' ');
      if (c > 0) line.append(kGap, ' ');
      if (columns_[c].align == Align::right) line += padding;
      line += cell;
      if (columns_[c].align == Align::left) line += padding;
    }
    trim_end(line);
    text += line;
    text += '\n';
  };
  std::string line_across(total, '-');
  line_across += '\n';
  add([&](std::size_t c) -> const std::string& { return columns_[c].title; });
  text += line_across;
  for (const auto& row : rows_) {
    if (row.empty()) {
      text += line_across;
    } else {
      add([&](std::size_t c) -> const std::string& { return row[c]; });
    }
  }
  return text;
}

std::string thousands(std::int64_t value) {
  const std::string digits = fmt::format("{}", value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    text += digits[i];
    const std::size_t left = digits.size() - i - 1;
    if (left > 0 && left % 3 == 0 && digits[i] != '-') text += ',';
  }
  return text;
}

std::string bytes_text(std::int64_t bytes) {
  if (std::abs(bytes) < 1000) return fmt::format("{} B", bytes);
  constexpr std::array kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  // 999.5 would be printed as 1000 of this unit.
  while (std::abs(value) >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int decimals = std::abs(value) < 9.995 ? 2 : std::abs(value) < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

std::string percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    const std::size_t length = displayed(word);
    if (column > indent && column + 1 + length > width) {
      result += '\n';
      result.append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += length;
  }
  return result;
}

}  // namespace convoy
