// Kernels that were picked by timing, under the name of the work they do.
//
// A choice belongs to the run: rank 0 times, the other ranks take its choices, and they are written
// down, so that a later start computes with the same kernels.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace convoy {

class KernelChoices {
 public:
  // `work` names everything that the choice depends on: operation, shapes, types, library version.
  [[nodiscard]] std::optional<std::string> of(const std::string& work) const;
  void set(const std::string& work, const std::string& kernel);

  // One line per choice, sorted: "work<TAB>kernel". Neither may hold tabs or line ends.
  [[nodiscard]] std::string text() const;
  // Adds what `text` says. Throws Error(usage), naming `where`, for a line of another form.
  void add(const std::string& text, const std::string& where);

 private:
  std::map<std::string, std::string> kernels_;
};

}  // namespace convoy
