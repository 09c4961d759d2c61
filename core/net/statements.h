// The text of a net's description as statements, and a statement word by word.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"

namespace convoy {

struct Statement {
  std::string place;  // "vgg.net, line 3: " or, of a text in one line, "model.net, statement 3: "
  std::vector<std::string> words;  // never empty
};

// Statements end at line breaks and semicolons; '#' begins a comment that ends with its line.
[[nodiscard]] std::vector<Statement> read_statements(std::string_view text,
                                                     const std::string& name);

// Takes a statement's words one after the other. Every refusal is an Error(usage) with the place.
class StatementReader {
 public:
  explicit StatementReader(const Statement& statement) : statement_(statement) {}

  [[nodiscard]] const std::string& kind() const { return statement_.words.front(); }
  // Takes the next word where it is `word`.
  bool take(std::string_view word);
  // A number that follows `after`, which it is of.
  std::int64_t whole(std::string_view after, std::int64_t low, std::int64_t high);
  double real(std::string_view after, double low, double high);
  // A layer's name: a letter, then letters, digits, '-' and '_'.
  std::string name();

  // A word that may follow, with what it takes ("N", "X"; empty: nothing), and what reads that.
  struct Attribute {
    std::string_view word;
    std::string_view takes;
    std::function<void()> read;
  };
  // Reads all that is left, in any order and each word once.
  void attributes(const std::vector<Attribute>& known);

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(ExitCode::usage,
                statement_.place + fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  // The next word, for messages: "'x'" or "the end of the statement".
  [[nodiscard]] std::string shown() const;
  [[nodiscard]] bool done() const { return next_ == statement_.words.size(); }

  const Statement& statement_;
  std::size_t next_ = 1;
};

}  // namespace convoy
