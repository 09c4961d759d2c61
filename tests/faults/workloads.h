// What is interrupted at every system call, and how its folder is judged afterwards.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace convoy::faults {

struct Workload {
  std::string name;
  std::function<void(const std::filesystem::path&)> prepare;  // the state before, in a new folder
  // Does the work, in a process of its own; returns or ends with the program's exit code, having
  // said what went wrong on standard error as the program does.
  std::function<int(const std::filesystem::path&)> run;
  // "old" or "new" for a folder whose content is whole, before or after the work; "part" where the
  // work ends in steps that are whole by themselves; else a sentence on what is torn.
  std::function<std::string(const std::filesystem::path&)> judge;
};

// A checkpoint written over another, and a dataset packed, by the libraries. `scratch` is theirs.
[[nodiscard]] std::vector<Workload> library_workloads(const std::filesystem::path& scratch);

// `convoy pack` and `convoy train` by the program itself.
[[nodiscard]] std::vector<Workload> program_workloads(const std::filesystem::path& scratch,
                                                      const std::filesystem::path& convoy);

}  // namespace convoy::faults
