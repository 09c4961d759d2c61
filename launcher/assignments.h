// Command lines and INI files read with Boost.Program_options into plain assignments, and
// assignments applied to an option table. Every refusal is one sentence, an Error(usage).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "launcher/option_table.h"

namespace convoy {

struct Assignment {
  std::string key;
  std::string value;
};

// Where assignments were found, for messages.
struct Origin {
  std::string prefix;  // before each sentence: "quickstart.ini: "
  std::string dashes;  // before each key: "--" on the command line
  std::string hint;    // where all keys are listed: "convoy help train"
};
[[nodiscard]] Origin command_line_origin(const std::string& command);
[[nodiscard]] Origin file_origin(const std::string& name);

struct CommandLine {
  std::vector<Assignment> assignments;
  std::vector<std::string> positional;
};

// `--key value` and `--key=value`, flags without a value. Refuses unknown keys (naming the
// nearest), keys given twice and missing values; positional arguments are left to the caller.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments,
                                             const OptionTable& table, const Origin& origin);

// `key = value` under `[section]`; '#' starts a comment. Refuses what parse_command_line refuses,
// and lines that are neither, with their number.
[[nodiscard]] std::vector<Assignment> parse_ini(const std::string& text, const OptionTable& table,
                                                const Origin& origin);

// Sets the fields. Refuses a value that the row does not take, saying which it would.
void assign(const OptionTable& table, const std::vector<Assignment>& assignments,
            const Origin& origin);

// The table's present values as INI text; parse_ini and assign read it back exactly.
[[nodiscard]] std::string render_ini(const OptionTable& table);

[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);

}  // namespace convoy
