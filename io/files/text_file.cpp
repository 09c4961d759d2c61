// Reads text files and takes them apart into lines and words.
#include "io/files/text_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>

#include "core/error.h"
#include "io/files/descriptor.h"

namespace convoy {
namespace {

constexpr std::int64_t largest_file = std::int64_t{1} << 30;
constexpr const char* blanks = " \t";

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(blanks) + 1 - begin));
}

}  // namespace

std::string read_small_file(const std::filesystem::path& path, const std::string& what) {
  const auto check = [&](bool ok) {
    if (ok) return;
    fail(ExitCode::bad_data, "cannot read {} {}: {}", what, path.string(), std::strerror(errno));
  };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  check(file.valid() && ::fstat(file.get(), &status) == 0);
  if (status.st_size > largest_file) {
    fail(ExitCode::bad_data, "{} {} is larger than 1 GiB", what, path.string());
  }
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t got = read_range(file, bytes.data(), bytes.size(), 0);
  check(got >= 0);
  bytes.resize(static_cast<std::size_t>(got));  // it may have become shorter meanwhile
  return bytes;
}

std::vector<TextLine> text_lines(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  std::vector<TextLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::string content = trimmed(line); !content.empty()) {
      lines.push_back({number, std::move(content)});
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

FirstWord first_word(const std::string& line) {
  const std::size_t end = std::min(line.find_first_of(blanks), line.size());
  const std::size_t rest = std::min(line.find_first_not_of(blanks, end), line.size());
  return {line.substr(0, end), line.substr(rest)};
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](unsigned char c) {
    return c < ' ' && c != '\n' && c != '\r' && c != '\t';
  });
}

}  // namespace convoy
