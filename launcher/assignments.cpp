// Uses Boost.Program_options as the reader and says what is wrong in our own words.
#include "launcher/assignments.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <system_error>

#include <boost/program_options.hpp>

#include "core/error.h"
#include "launcher/nearest.h"

namespace convoy {
namespace {

namespace po = boost::program_options;

// Boost only needs to know the names and which of them take no value; all values stay texts.
po::options_description describe(const OptionTable& table) {
  po::options_description description;
  for (const Option& option : table.options()) {
    if (option.is_flag()) {
      description.add_options()(option.key.c_str(), po::bool_switch());
    } else {
      description.add_options()(option.key.c_str(), po::value<std::string>());
    }
  }
  return description;
}

[[noreturn]] void refuse_unknown(const std::string& key, const OptionTable& table,
                                 const Origin& origin) {
  const std::string hint = origin.hint.empty() ? "" : fmt::format(" ({} lists all)", origin.hint);
  fail(ExitCode::usage, "{}there is no option {}{}; did you mean {}{}?{}", origin.prefix,
       origin.dashes, key, origin.dashes, nearest(key, table.keys()), hint);
}

[[noreturn]] void refuse_missing_value(const std::string& key, const OptionTable& table,
                                       const Origin& origin) {
  const Option* const option = table.find(key);
  fail(ExitCode::usage, "{}{} needs a value: {}", origin.dashes, key,
       option == nullptr ? "none follows it" : option->expected);
}

std::vector<Assignment> take_assignments(const po::parsed_options& parsed, const OptionTable& table,
                                         const Origin& origin) {
  std::vector<Assignment> assignments;
  std::set<std::string> seen;
  for (const po::option& option : parsed.options) {
    if (option.position_key != -1) continue;
    if (option.unregistered || table.find(option.string_key) == nullptr) {
      refuse_unknown(option.string_key, table, origin);
    }
    if (!seen.insert(option.string_key).second) {
      fail(ExitCode::usage, "{}{}{} is given twice; leave one of them", origin.prefix,
           origin.dashes, option.string_key);
    }
    // `--key --other value`: Boost takes --other for the value.
    if (option.original_tokens.size() > 1 && option.original_tokens[1].starts_with("--")) {
      refuse_missing_value(option.string_key, table, origin);
    }
    assignments.push_back(
        {option.string_key, option.value.empty() ? std::string("true") : option.value.front()});
  }
  return assignments;
}

std::string stripped(std::string line) {
  line.erase(std::min(line.find('#'), line.size()));
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

// Boost names the line's text only.
int line_number(const std::string& text, const std::string& wanted) {
  std::istringstream lines(text);
  std::string line;
  int number = 1;
  while (std::getline(lines, line) && stripped(line) != wanted) ++number;
  return number;
}

}  // namespace

Origin command_line_origin(const std::string& command) {
  return {"", "--", "convoy help " + command};
}

Origin file_origin(const std::string& name) { return {name + ": ", "", ""}; }

CommandLine parse_command_line(const std::vector<std::string>& arguments, const OptionTable& table,
                               const Origin& origin) {
  using namespace po::command_line_style;  // NOLINT: the enumerators below
  const po::options_description description = describe(table);
  try {
    const po::parsed_options parsed = po::command_line_parser(arguments)
                                          .options(description)
                                          .style(allow_long | long_allow_adjacent | long_allow_next)
                                          .allow_unregistered()
                                          .run();
    CommandLine line;
    line.assignments = take_assignments(parsed, table, origin);
    for (const po::option& option : parsed.options) {
      if (option.position_key == -1) continue;
      const std::string& argument = option.value.front();
      if (argument.starts_with('-')) {
        fail(ExitCode::usage, "'{}' is not understood: options begin with -- ({} lists all)",
             argument, origin.hint);
      }
      line.positional.push_back(argument);
    }
    return line;
  } catch (const po::invalid_command_line_syntax& error) {
    std::string key = error.get_option_name();
    key.erase(0, key.find_first_not_of('-'));
    const Option* const option = table.find(key);
    if (option != nullptr && option->is_flag()) {
      fail(ExitCode::usage, "{}{} stands alone and takes no value", origin.dashes, key);
    }
    refuse_missing_value(key, table, origin);
  } catch (const po::error& error) {
    fail(ExitCode::usage, "the command line cannot be read: {}", error.what());
  }
}

std::vector<Assignment> parse_ini(const std::string& text, const OptionTable& table,
                                  const Origin& origin) {
  std::istringstream stream(text);
  try {
    return take_assignments(po::parse_config_file(stream, describe(table), true), table, origin);
  } catch (const po::invalid_config_file_syntax& error) {
    fail(ExitCode::usage, "{}line {} is neither '[section]' nor 'key = value': '{}'", origin.prefix,
         line_number(text, error.tokens()), error.tokens());
  } catch (const po::error& error) {
    fail(ExitCode::usage, "{}the file cannot be read: {}", origin.prefix, error.what());
  }
}

void assign(const OptionTable& table, const std::vector<Assignment>& assignments,
            const Origin& origin) {
  for (const auto& [key, value] : assignments) {
    const Option* const option = table.find(key);
    if (option == nullptr) refuse_unknown(key, table, origin);
    if (!option->set(value)) {
      fail(ExitCode::usage, "{}{}{} must be {}, not '{}'", origin.prefix, origin.dashes, key,
           option->expected, value);
    }
  }
}

std::string render_ini(const OptionTable& table) {
  std::string text;
  for (const std::string& section : table.sections()) {
    if (!section.empty()) text += fmt::format("\n[{}]\n", section);
    for (const Option& option : table.options()) {
      if (option.section() != section) continue;
      const std::string name = option.key.substr(section.empty() ? 0 : section.size() + 1);
      const std::string value = option.get();
      text += fmt::format("{} ={}{}\n", name, value.empty() ? "" : " ", value);
    }
  }
  return text;
}

std::string read_text_file(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& reason) {
    fail(ExitCode::usage, "the file {} cannot be read: {}", path.string(), reason);
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) refuse("it is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(std::strerror(errno));
  // Far more than anybody writes, and less than a device has to give.
  constexpr std::size_t kMost = std::size_t{4} << 20;
  std::string text(kMost + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) refuse(std::strerror(errno));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMost) refuse("it has more than 4 MiB, and is no text of a person");
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // of some editors; nobody sees it
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

}  // namespace convoy
