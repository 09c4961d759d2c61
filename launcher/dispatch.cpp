// The list of commands, the overview, and the choice between one process and an MPI job.
#include "launcher/dispatch.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "launcher/commands.h"
#include "launcher/completion.h"
#include "launcher/exit_codes.h"
#include "launcher/failure.h"
#include "launcher/manual_page.h"
#include "launcher/nearest.h"
#include "launcher/parallel_run.h"
#include "launcher/table.h"
#include "launcher/versions.h"

namespace convoy {
namespace {

std::string line_of(const Command& command) {
  return fmt::format("  {:<13} {}\n", command.info().name, command.info().summary);
}

std::string overview(const Commands& commands) {
  std::string text =
      "Convoy trains AlexNet on a cluster.\n\nusage: convoy COMMAND [options]\n\ncommands:\n";
  for (const auto& command : commands) {
    text += line_of(*command);
  }
  text +=
      "  help          this text, or all options of a command: convoy help COMMAND; as manual\n"
      "                pages: convoy help --man [COMMAND]; as completion: convoy help\n"
      "                --bash-completion\n\n";
  std::string codes = "exit codes:";
  for (const ExitMeaning& exit : kExitMeanings) {
    codes += fmt::format("{} {} {}", exit.code == 0 ? "" : ",", exit.code, exit.meaning);
  }
  return text + wrapped(codes, 0, 92) + '\n';
}

// The commands of which `word` is the first of two words: "show".
std::vector<const Command*> group_of(const Commands& commands, const std::string& word) {
  std::vector<const Command*> group;
  for (const auto& command : commands)
    if (command->info().name.starts_with(word + " ")) group.push_back(command.get());
  return group;
}

std::string group_help(const std::vector<const Command*>& group, const std::string& word) {
  std::string text = fmt::format("convoy {} is one of:\n", word);
  for (const Command* command : group) text += line_of(*command);
  return text;
}

struct Found {
  Command& command;
  std::size_t words;  // of its name
};

// By the one or two words with which `words` begins, which is not empty.
Found find_command(const Commands& commands, const std::vector<std::string>& words) {
  const std::string& name = words.front();
  const std::string pair = words.size() > 1 ? name + " " + words[1] : name;
  std::vector<std::string> names{"help"};
  if (name.starts_with('-')) names = {"--version", "--help"};
  for (const auto& command : commands) {
    if (command->info().name == name) return {*command, 1};
    if (command->info().name == pair) return {*command, 2};
    names.push_back(command->info().name);
  }
  std::vector<std::string> kinds;
  for (const Command* command : group_of(commands, name))
    kinds.push_back(command->info().name.substr(name.size() + 1));
  if (!kinds.empty()) {
    fail(ExitCode::usage, "{} needs one of {} (convoy help {} describes them){}", name,
         fmt::join(kinds, ", "), name,
         words.size() > 1 ? fmt::format(", and '{}' is none", words[1]) : "");
  }
  fail(ExitCode::usage, "there is no command '{}'; did you mean {}? (convoy help lists all)", name,
       nearest(name, names));
}

bool asks_for_help(const std::string& argument) { return argument == "--help" || argument == "-h"; }

// Ranks that do not know each other would do the same work and write the same files.
void refuse_ranks(const Command& command) {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* const text = std::getenv(variable);
    int ranks = 0;
    if (text == nullptr || !parse_value(text, ranks) || ranks <= 1) continue;
    fail(ExitCode::usage, "one rank is enough for {}, and {} were started; leave out mpirun",
         command.info().name, ranks);
  }
}

int run_alone(Command& command, const std::vector<std::string>& arguments, std::ostream& out) {
  refuse_ranks(command);
  command.parse(arguments);
  if (!command.warning().empty()) spdlog::warn(command.warning());
  command.run(nullptr, out);
  return 0;
}

// What stands behind `convoy help`: nothing, a command, or the form in which help is wanted.
std::string help(const Commands& commands, std::vector<std::string> words) {
  std::erase_if(words,
                [](const std::string& word) { return word == "help" || asks_for_help(word); });
  if (words.empty()) return overview(commands);
  const std::string form = words.front().starts_with("--") ? words.front() : "";
  const auto require_no_more = [&](std::size_t count) {
    if (words.size() > count)
      fail(ExitCode::usage, "'{}' is not understood: help takes one command", words[count]);
  };
  if (form == "--bash-completion") {
    require_no_more(1);
    return bash_completion(commands);
  }
  const bool manual = form == "--man";
  if (manual) words.erase(words.begin());
  if (words.empty()) return manual_page(commands);
  if (words.size() == 1 && !manual) {
    const auto group = group_of(commands, words.front());
    if (!group.empty()) return group_help(group, words.front());
  }
  const auto [command, length] = find_command(commands, words);
  require_no_more(length);
  return manual ? manual_page(command) : command.help();
}

int choose(int argc, char** argv, std::ostream& out, std::ostream& err) {
  const Commands commands = make_commands();
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (arguments.empty()) fail(ExitCode::usage, "no command is given; convoy help lists them");

  const std::string& name = arguments.front();
  if (name == "--version") {
    out << version_text();
    return 0;
  }
  if (name == "help" || asks_for_help(name)) {
    out << help(commands, {arguments.begin() + 1, arguments.end()});
    return 0;
  }
  const auto group = group_of(commands, name);
  if (!group.empty() && arguments.size() > 1 && asks_for_help(arguments[1])) {
    out << group_help(group, name);
    return 0;
  }
  const auto [command, length] = find_command(commands, arguments);
  const std::vector<std::string> rest(arguments.begin() + static_cast<std::ptrdiff_t>(length),
                                      arguments.end());
  if (std::any_of(rest.begin(), rest.end(), asks_for_help)) {
    out << command.help();
    return 0;
  }
  if (command.info().parallel) return run_parallel(command, rest, argc, argv, out, err);
  return run_alone(command, rest, out);
}

}  // namespace

Commands make_commands() {
  Commands commands;
  for (const auto make :
       {make_synth,       make_pack,       make_index,       make_verify,       make_inspect,
        make_train,       make_eval,       make_predict,     make_show_filters, make_show_nearest,
        make_show_curves, make_show_trace, make_show_sample, make_export,       make_import,
        make_bench,       make_doctor,     make_compare,     make_plan,         make_launch}) {
    commands.push_back(make());
  }
  return commands;
}

int dispatch(int argc, char** argv, std::ostream& out, std::ostream& err) {
  int code = 0;
  const Failure failure = guard([&] {
    code = choose(argc, argv, out, err);
    out.flush();
    if (code == 0 && !out) fail(ExitCode::resource, "standard output cannot be written");
  });
  if (failure.code == 0) return code;
  err << fmt::format("convoy: {}\n", failure.sentence) << std::flush;
  return failure.code;
}

}  // namespace convoy
