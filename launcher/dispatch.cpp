// The list of commands, the overview, and the choice between one process and an MPI job.
#include "launcher/dispatch.h"

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <spdlog/spdlog.h>

#include "core/error.h"
#include "dist/comm/libraries.h"
#include "launcher/commands.h"
#include "launcher/failure.h"
#include "launcher/nearest.h"
#include "launcher/parallel_run.h"
#include "launcher/table.h"

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
  return text +
         "  help          this text, or all options of a command: convoy help COMMAND\n"
         "\nexit codes: 0 done, 1 internal error, 2 usage or configuration, 3 bad data, 4 bad or\n"
         "missing checkpoint, 5 a rank or the network failed, 6 diverged, 7 out of memory, disk "
         "or\n"
         "another resource, 75 stopped on request after a checkpoint\n";
}

std::string version() {
  std::string text = "convoy " CONVOY_VERSION "\n";
  for (const LibraryVersion& library : libraries()) {
    text += fmt::format("{:<12} built with {:<8} ", library.name, library.built);
    text += library.found.empty() ? "not found here\n" : fmt::format("found {}\n", library.found);
  }
  return text;
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

int run_alone(Command& command, const std::vector<std::string>& arguments, std::ostream& out) {
  command.parse(arguments);
  if (!command.warning().empty()) spdlog::warn(command.warning());
  command.run(nullptr, out);
  return 0;
}

int choose(int argc, char** argv, std::ostream& out, std::ostream& err) {
  const Commands commands = make_commands();
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (arguments.empty()) fail(ExitCode::usage, "no command is given; convoy help lists them");

  const std::string& name = arguments.front();
  const bool help = name == "help" || asks_for_help(name);
  if (name == "--version") {
    out << version();
  } else if (help && (arguments.size() == 1 || asks_for_help(arguments[1]))) {
    out << overview(commands);
  } else {
    const std::vector<std::string> words(arguments.begin() + (help ? 1 : 0), arguments.end());
    const auto group = group_of(commands, words.front());
    if (!group.empty() && (words.size() > 1 ? asks_for_help(words[1]) : help)) {
      out << group_help(group, words.front());
      return 0;
    }
    const auto [command, length] = find_command(commands, words);
    const std::vector<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(length),
                                        words.end());
    if (help || std::any_of(rest.begin(), rest.end(), asks_for_help)) {
      out << command.help();
    } else if (command.info().parallel) {
      return run_parallel(command, rest, argc, argv, out, err);
    } else {
      return run_alone(command, rest, out);
    }
  }
  return 0;
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
