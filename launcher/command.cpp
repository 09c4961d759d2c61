// Help texts, required options, and how a job command finds its job.
#include "launcher/command.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "launcher/config_files.h"
#include "launcher/report_files.h"
#include "launcher/table.h"

namespace convoy {
namespace {

constexpr std::size_t kHelpWidth = 100;
constexpr std::size_t kHelpIndent = 34;

std::string help_line(const Option& option) {
  std::string head = "  --" + option.key + (option.is_flag() ? "" : " " + option.placeholder);
  std::string text = option.description;
  if (const std::string value = option.get(); !value.empty() && !option.is_flag()) {
    text += fmt::format(" [{}]", value);
  }
  if (head.size() + 1 >= kHelpIndent) {
    head += '\n' + std::string(kHelpIndent, ' ');
  } else {
    head.resize(kHelpIndent, ' ');
  }
  return head + wrapped(text, kHelpIndent, kHelpWidth) + '\n';
}

}  // namespace

std::string Command::help() const {
  std::string text = fmt::format("{}\n\n{}\n", wrapped("usage: " + info_.synopsis, 7, kHelpWidth),
                                 wrapped(info_.details, 0, kHelpWidth));
  for (const std::string& section : options_.sections()) {
    text += section.empty() ? "\n" : fmt::format("\n[{}]\n", section);
    for (const Option& option : options_.options()) {
      if (option.section() == section) text += help_line(option);
    }
  }
  return text + "\nDefaults stand in brackets.\n";
}

void Command::parse(const std::vector<std::string>& arguments) {
  assign(options_, read(arguments).assignments, origin());
}

CommandLine Command::read(const std::vector<std::string>& arguments,
                          std::size_t positional_limit) const {
  CommandLine line = parse_command_line(arguments, options_, origin());
  if (line.positional.size() > positional_limit) {
    fail(ExitCode::usage, "'{}' is not understood: {} takes {} (convoy help {} lists the options)",
         line.positional[positional_limit], info_.name,
         positional_limit == 0 ? "options only" : "one argument", info_.name);
  }
  return line;
}

void Command::require(const std::filesystem::path& path, const std::string& key) const {
  if (!path.empty()) return;
  const Option* const option = options_.find(key);
  fail(ExitCode::usage, "{} needs --{} {}: {}", info_.name, key, option->placeholder,
       option->description);
}

void Command::require_output(const std::string& key,
                             std::vector<std::filesystem::path> further) const {
  for (const Option& option : options_.options()) {
    if (option.is_path && option.key != key) further.emplace_back(option.get());
  }
  convoy::require_output(options_.value(key), further);
}

JobCommand::JobCommand(CommandInfo info) : Command(std::move(info)) {
  options_.path(
      "config", config_, "FILE",
      "INI file with any of the options below, or the name of one that the program has; the "
      "command line wins over it");
  options_.add(job_table(job_));
}

void JobCommand::parse(const std::vector<std::string>& arguments) { resolve(read(arguments)); }

void JobCommand::resolve(const CommandLine& line) {
  const OptionTable table = job_table(job_);
  std::vector<Assignment> own;
  of_line_.clear();
  for (const Assignment& assignment : line.assignments) {
    (table.find(assignment.key) == nullptr ? own : of_line_).push_back(assignment);
  }
  assign(options_, own, origin());

  of_file_.clear();
  const Origin file = file_origin(config_.string());
  if (!config_.empty()) of_file_ = parse_ini(read_config(config_), table, file);
  resolve_job(job_, of_file_, file, of_line_, origin());
  warning_ = recipe_warning(job_, of_file_, config_.string(), of_line_);
}

void JobCommand::go_on() {
  continue_job(job_, of_file_, file_origin(config_.string()), of_line_, origin());
  warning_.clear();
}

bool JobCommand::resolve_over(const std::string& ini, const std::string& name) {
  for (const Assignment& assignment : of_line_) {
    if (assignment.key == "recipe")
      fail(ExitCode::usage, "{} says all values itself; leave --recipe out", name);
  }
  if (!config_.empty())
    fail(ExitCode::usage, "{} says all values itself; leave --config out", name);
  try {
    job_ = parse_job(ini, name);
  } catch (const Error& error) {
    throw Error(ExitCode::bad_checkpoint, error.what());
  }
  assign(job_table(job_), of_line_, origin());
  return !of_line_.empty();
}

}  // namespace convoy
