// Quoting for POSIX shells: within single quotes nothing has a meaning but the quote itself.
#include "launcher/cluster/quote.h"

namespace convoy {

std::string shell_quoted(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-=";
  // NAME=VALUE in front of a command would be an assignment, not a word.
  const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos &&
                     (word.find('=') == std::string_view::npos || word.front() == '-');
  if (plain) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string shell_quoted(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    line += shell_quoted(word);
  }
  return line;
}

}  // namespace convoy
