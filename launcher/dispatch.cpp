// The list of commands, the overview, and the choice between one process and an MPI job.
#include "launcher/dispatch.h"

#include <algorithm>
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

std::string overview(const Commands& commands) {
  std::string text =
      "Convoy trains AlexNet on a cluster.\n\nusage: convoy COMMAND [options]\n\ncommands:\n";
  for (const auto& command : commands) {
    text += fmt::format("  {:<9} {}\n", command->info().name, command->info().summary);
  }
  text +=
      "  help      this text, or all options of a command: convoy help COMMAND; as manual pages:\n"
      "            convoy help --man [COMMAND]; as completion: convoy help --bash-completion\n\n";
  std::string codes = "exit codes:";
  for (const ExitMeaning& exit : kExitMeanings) {
    codes += fmt::format("{} {} {}", exit.code == 0 ? "" : ",", exit.code, exit.meaning);
  }
  return text + wrapped(codes, 0, 92) + '\n';
}

Command& find_command(const Commands& commands, const std::string& name) {
  std::vector<std::string> names{"help"};
  for (const auto& command : commands) {
    if (command->info().name == name) return *command;
    names.push_back(command->info().name);
  }
  fail(ExitCode::usage, "there is no command '{}'; did you mean {}? (convoy help lists all)", name,
       nearest(name, names));
}

bool asks_for_help(const std::string& argument) { return argument == "--help" || argument == "-h"; }

// What stands behind `convoy help`: nothing, a command, or the form in which help is wanted.
std::string help(const Commands& commands, const std::vector<std::string>& words) {
  if (words.empty() || asks_for_help(words.front())) return overview(commands);
  const bool manual = words.front() == "--man";
  const std::size_t most = manual ? 2 : 1;
  if (words.size() > most) {
    fail(ExitCode::usage, "'{}' is not understood: help takes one command", words[most]);
  }
  if (words.front() == "--bash-completion") return bash_completion(commands);
  if (!manual) return find_command(commands, words.front()).help();
  return words.size() == 1 ? manual_page(commands)
                           : manual_page(find_command(commands, words.back()));
}

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
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "--version") {
    out << version_text();
  } else if (name == "help" || (asks_for_help(name) && rest.empty())) {
    out << help(commands, rest);
  } else {
    Command& command = find_command(commands, name);
    if (std::any_of(rest.begin(), rest.end(), asks_for_help)) {
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
       {make_synth, make_pack, make_index, make_verify, make_inspect, make_train, make_eval,
        make_bench, make_doctor, make_compare, make_plan, make_launch}) {
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
