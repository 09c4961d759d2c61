// A table of lines.
#include "core/kernel_choices.h"

#include <sstream>

#include "core/error.h"

namespace convoy {

std::optional<std::string> KernelChoices::of(const std::string& work) const {
  const auto found = kernels_.find(work);
  if (found == kernels_.end()) return std::nullopt;
  return found->second;
}

void KernelChoices::set(const std::string& work, const std::string& kernel) {
  kernels_[work] = kernel;
}

std::string KernelChoices::text() const {
  std::string text;
  for (const auto& [work, kernel] : kernels_) text += work + '\t' + kernel + '\n';
  return text;
}

void KernelChoices::add(const std::string& text, const std::string& where) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos || tab == 0 || tab + 1 == line.size() ||
        line.find('\t', tab + 1) != std::string::npos)
      fail(ExitCode::usage, "{} has the line '{}', which names no kernel for a piece of work",
           where, line);
    set(line.substr(0, tab), line.substr(tab + 1));
  }
}

}  // namespace convoy
