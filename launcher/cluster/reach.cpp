// The agent runs `sh -s` on a host, which reads the script of host_check.h: whatever shell a person
// has there, it sees two plain words.
#include "launcher/cluster/reach.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <unistd.h>

#include "core/error.h"
#include "launcher/cluster/process.h"
#include "launcher/option_table.h"

namespace convoy {
namespace {

constexpr std::chrono::seconds kReachLimit{20};

std::vector<std::string> command_for(const Host& host, const std::string& agent) {
  if (is_here(host.name)) return {"sh", "-s"};
  std::vector<std::string> words = split(agent, ' ');
  // A question at the terminal, such as for a password, could not be answered for many hosts.
  if (std::filesystem::path(words.front()).filename() == "ssh") {
    words.insert(words.end(), {"-o", "BatchMode=yes", "-o", "ConnectTimeout=10"});
  }
  words.insert(words.end(), {host.name, "sh", "-s"});
  return words;
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

bool is_here(const std::string& host) {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  const std::string own = name.data();
  return host == "localhost" || host == own || host == own.substr(0, own.find('.'));
}

std::string digest_of(const std::string& file) {
  const Heard heard = hear({"sha256sum", "--", file}, kReachLimit);
  return heard.out.substr(0, heard.out.find(' '));
}

std::vector<HostAnswers> ask_hosts(const std::vector<Host>& hosts, const std::string& agent,
                                   const HostQuestions& questions) {
  const std::string program = split(agent, ' ').front();
  const bool all_here = std::ranges::all_of(hosts, is_here, &Host::name);
  if (!all_here && find_program(program).empty()) {
    fail(ExitCode::usage,
         "there is no program {} here to reach hosts with; install it or give another "
         "cluster.agent",
         program);
  }
  std::vector<std::vector<std::string>> commands;
  for (const Host& host : hosts) commands.push_back(command_for(host, agent));
  const std::vector<Heard> heard = hear_all(commands, kReachLimit, host_check_script(questions));

  std::vector<HostAnswers> all;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    HostAnswers answers;
    answers.name = hosts[i].name;
    if (!parse_host_check(heard[i].out, questions.inputs.size(), answers)) {
      const std::string said = last_line(heard[i].err);
      fail(ExitCode::rank_failed, "{} cannot be reached with {}: {}", hosts[i].name, agent,
           !heard[i].ended ? fmt::format("no answer within {} seconds", kReachLimit.count())
           : said.empty()  ? "it ends without an answer"
                           : said);
    }
    all.push_back(std::move(answers));
  }
  return all;
}

}  // namespace convoy
