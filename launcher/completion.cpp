// The tables of options as bash functions, and the function that reads a command line by them.
#include "launcher/completion.h"

#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace convoy {
namespace {

// `kind` and `words` are locals of _convoy, which calls the functions that are made here.
constexpr std::string_view kHead =
    "# bash completion for convoy; made by convoy help --bash-completion\n"
    "# shellcheck shell=bash disable=SC2034\n\n";

constexpr std::string_view kReader = R"bash(
# Walks over the words before the cursor: which command they name, and which option awaits a value.
_convoy() {
  local current=${COMP_WORDS[COMP_CWORD]} command="" option="" launched="" kind words="" word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == = ]]; then
      continue # bash takes --key=value for three words
    elif [[ $word == : ]]; then
      ((i++)) # and HOST:N too
    elif [[ -n $option ]]; then
      option=""
    elif [[ -z $command ]]; then
      command=$word
    elif _convoy_kinds "$command" && [[ -n $words && $word != -* ]]; then
      command+=" $word" # a name of two words
    elif [[ $command == launch && $word == -- ]]; then
      command="" launched=yes
    elif [[ $word == --* ]]; then
      _convoy_option "$command" "$word"
      if [[ $kind != flag ]]; then option=$word; fi
    elif [[ $command == launch ]]; then
      command=$word launched=yes
    fi
  done

  if [[ $current == = || $current == : ]]; then current=""; fi
  if [[ -n $option ]]; then
    _convoy_option "$command" "$option"
    # What is neither a word nor a path is no file name either, which bash would offer.
    if [[ $kind == text ]]; then compopt +o default 2>/dev/null; fi
  elif [[ -z $command ]]; then
    words=$_convoy_commands
    if [[ -z $launched ]]; then words+=" help launch --help --version"; fi
  elif _convoy_kinds "$command" && [[ -n $words ]]; then
    : # the second word of a name
  elif [[ $command == help ]]; then
    words="$_convoy_commands launch --man --bash-completion"
  elif [[ $current == -* ]]; then
    _convoy_options "$command"
  elif [[ $command == launch ]]; then
    words=$_convoy_commands
  fi
  # No words: bash's own file names.
  if [[ -n $words ]]; then mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"); fi
}
complete -o default -F _convoy convoy
)bash";

std::string kind_of(const Option& option) {
  if (option.is_flag()) return "kind=flag";
  if (option.is_path) return "kind=path";
  if (option.choices.empty()) return "kind=text";
  return fmt::format("kind=words words='{}'", fmt::join(option.choices, " "));
}

}  // namespace

std::string bash_completion(const Commands& commands) {
  std::vector<std::string> launched;                       // launch cannot start itself
  std::map<std::string, std::vector<std::string>> groups;  // second words of names, by the first
  std::string options = "_convoy_options() {\n  case $1 in\n";
  std::map<std::string, std::vector<std::string>> patterns;  // by kind
  for (const auto& command : commands) {
    const std::string& name = command->info().name;
    const std::string first = name.substr(0, name.find(' '));
    if (first != "launch" && !groups.contains(first)) launched.push_back(first);
    if (first != name) groups[first].push_back(name.substr(first.size() + 1));
    std::vector<std::string> keys{"--help"};
    for (const Option& option : command->options().options()) {
      keys.push_back("--" + option.key);
      patterns[kind_of(option)].push_back(fmt::format("'{} --{}'", name, option.key));
    }
    options += fmt::format("    '{}') words='{}' ;;\n", name, fmt::join(keys, " "));
  }
  options += "  esac\n}\n";

  std::string kinds = "_convoy_option() {\n  words=\"\"\n  case \"$1 $2\" in\n";
  for (const auto& [kind, of_kind] : patterns) {
    kinds += fmt::format("    {}) {} ;;\n", fmt::join(of_kind, "|"), kind);
  }
  kinds += "    *) kind=flag ;;\n  esac\n}\n";
  std::string second = "_convoy_kinds() {\n  case $1 in\n";
  for (const auto& [first, words] : groups)
    second += fmt::format("    {}) words='{}' ;;\n", first, fmt::join(words, " "));
  second += "    *) words='' ;;\n  esac\n}\n";
  return fmt::format("{}_convoy_commands='{}'\n{}{}{}{}", kHead, fmt::join(launched, " "), options,
                     kinds, second, kReader);
}

}  // namespace convoy
