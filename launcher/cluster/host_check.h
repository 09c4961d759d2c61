// What is looked at on each host before ranks start there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace convoy {

struct HostQuestions {
  std::filesystem::path folder;               // that ranks run in
  std::filesystem::path program;              // convoy
  std::string daemon = "orted";               // MPI's daemon: a name on PATH, or a path
  std::vector<std::filesystem::path> inputs;  // files and datasets that ranks read
};

struct HostAnswers {
  std::string name;
  std::int64_t cores = 0;  // 0: not known
  bool folder = false;
  bool daemon = false;
  std::string program;  // digest; empty: not there
  std::vector<std::string>
      inputs;  // of each: its digest, or "-" for what has none; empty: not there
};

// A POSIX shell script that prints the answers.
[[nodiscard]] std::string host_check_script(const HostQuestions& questions);
// False where the text is not what the script prints to its end.
[[nodiscard]] bool parse_host_check(const std::string& text, std::size_t inputs,
                                    HostAnswers& answers);
// Throws Error(usage) for the first thing that is missing on a host or differs between hosts, also
// from `program_here`, the digest of the program that runs now.
void compare_hosts(const HostQuestions& questions, const std::vector<HostAnswers>& hosts,
                   const std::string& program_here);

}  // namespace convoy
