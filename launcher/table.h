// Text tables with aligned columns, numbers for people, and wrapped paragraphs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::right;
};

class TextTable {
 public:
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // Missing cells are empty; more cells than columns are a programming error (std::out_of_range).
  void row(std::vector<std::string> cells);
  // A line across the table, e.g. above the totals.
  void rule();
  // Titles, a line, the rows; every line ends with '\n' and none with a space.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // an empty row is a line across
};

// 60965224 -> "60,965,224".
[[nodiscard]] std::string thousands(std::int64_t value);
// "512 B", "12.3 kB", "4.57 MB", "1.20 GB"; powers of 1000.
[[nodiscard]] std::string bytes_text(std::int64_t bytes);
// A fraction as "40.66 %".
[[nodiscard]] std::string percent(double fraction);

// Breaks `text` at spaces so that, behind `indent` columns, no line passes `width`. The first line
// is not indented; there is no newline at the end.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace convoy
