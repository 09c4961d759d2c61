// Questions as a shell script, answers as lines "KEY VALUE", and what is wrong with them.
#include "launcher/cluster/host_check.h"

#include "core/error.h"
#include "launcher/cluster/quote.h"
#include "launcher/option_table.h"

namespace convoy {
namespace {

constexpr std::string_view kEnd = "convoy-end";

std::string first_word(const std::string& text) { return text.substr(0, text.find(' ')); }

}  // namespace

std::string host_check_script(const HostQuestions& questions) {
  std::string script = fmt::format(
      "if cd {} 2>/dev/null; then echo folder yes; fi\n"
      "p={}\n"
      "if [ -x \"$p\" ]; then echo program $(sha256sum <\"$p\"); fi\n"
      "if command -v {} >/dev/null; then echo daemon yes; fi\n"
      "t=$(lscpu 2>/dev/null | sed -n 's/^Thread(s) per core: *//p')\n"
      "echo cores $(nproc) ${{t:-1}}\n"
      // A dataset is known by its index, which holds the checksums of its shards.
      "look() {{\n"
      "  f=$2; if [ -d \"$2\" ]; then f=$2/index.h5; fi\n"
      "  if [ -f \"$f\" ]; then echo input $1 $(sha256sum <\"$f\")\n"
      "  elif [ -e \"$2\" ]; then echo input $1 -; fi\n"
      "}}\n",
      shell_quoted(questions.folder.string()), shell_quoted(questions.program.string()),
      shell_quoted(questions.daemon));
  for (std::size_t i = 0; i < questions.inputs.size(); ++i) {
    script += fmt::format("look {} {}\n", i, shell_quoted(questions.inputs[i].string()));
  }
  return script + fmt::format("echo {}\n", kEnd);
}

bool parse_host_check(const std::string& text, std::size_t inputs, HostAnswers& answers) {
  answers.inputs.assign(inputs, "");
  for (const std::string& line : split(text, '\n')) {
    if (line == kEnd) return true;
    const std::string key = first_word(line);
    const std::string value = line.size() > key.size() ? line.substr(key.size() + 1) : "";
    if (key == "folder") answers.folder = true;
    if (key == "daemon") answers.daemon = true;
    if (key == "program") answers.program = first_word(value);
    if (key == "cores") {
      std::int64_t threads = 0;
      std::int64_t per_core = 0;
      const std::string first = first_word(value);
      if (value.size() > first.size() && parse_value(first, threads) &&
          parse_value(value.substr(first.size() + 1), per_core) && per_core > 0) {
        answers.cores = std::max<std::int64_t>(1, threads / per_core);
      }
    }
    if (key == "input") {
      std::uint64_t index = 0;
      const std::string first = first_word(value);
      if (parse_value(first, index) && index < inputs && value.size() > first.size()) {
        answers.inputs[index] = first_word(value.substr(first.size() + 1));
      }
    }
  }
  return false;
}

void compare_hosts(const HostQuestions& questions, const std::vector<HostAnswers>& hosts,
                   const std::string& program_here) {
  for (const HostAnswers& host : hosts) {
    if (!host.daemon) {
      fail(ExitCode::usage,
           "{} has no {}: install Open MPI there, or give cluster.mpirun as an absolute path",
           host.name, questions.daemon);
    }
    if (!host.folder) {
      fail(ExitCode::usage,
           "{} has no folder {}; start from a folder that every host has, such as one on a shared "
           "file system",
           host.name, questions.folder.string());
    }
    if (host.program.empty()) {
      fail(ExitCode::usage,
           "{} has no program {}; put the same convoy there, or on a file system that every host "
           "sees",
           host.name, questions.program.string());
    }
    if (host.program != program_here) {
      fail(ExitCode::usage, "{} on {} is another build than the one here; copy this one there",
           questions.program.string(), host.name);
    }
    for (std::size_t i = 0; i < questions.inputs.size(); ++i) {
      if (host.inputs[i].empty()) {
        fail(ExitCode::usage, "{} has no {}; every host must see the same files", host.name,
             questions.inputs[i].string());
      }
      if (host.inputs[i] != hosts.front().inputs[i]) {
        fail(ExitCode::usage, "{} on {} is not what it is on {}; every host must see the same data",
             questions.inputs[i].string(), host.name, hosts.front().name);
      }
    }
  }
}

}  // namespace convoy
