// Small text files that people write: lists of classes, labels and images.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace convoy {

// The whole file. `what` names it in the sentence: "the class list". Throws Error(bad_data) for a
// file that cannot be read or has more than 1 GiB.
[[nodiscard]] std::string read_small_file(const std::filesystem::path& path,
                                          const std::string& what);

struct TextLine {
  std::size_t number = 0;  // from 1, as editors count
  std::string text;        // without blanks at its ends
};

// The lines of a text that are not blank; any of the usual line ends, with or without a byte order
// mark.
[[nodiscard]] std::vector<TextLine> text_lines(std::string_view text);

// "first rest of it" -> {"first", "rest of it"}, parted by spaces or tabs; the second may be empty.
struct FirstWord {
  std::string word;
  std::string rest;
};
[[nodiscard]] FirstWord first_word(const std::string& line);

// True for text without control characters but blanks and line ends; what a person wrote.
[[nodiscard]] bool is_text(std::string_view bytes);

}  // namespace convoy
