// Finds the text that model.net names, and checks it.
#include "launcher/described_net.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/ranges.h>

#include "core/error.h"
#include "core/net/description.h"
#include "launcher/assignments.h"
#include "launcher/net_files.h"

namespace convoy {
namespace {

// How many classes there are is settled later, and any number of them fits or none.
constexpr std::int64_t kClasses = 1000;

std::string checked(const std::string& text, const std::string& name) {
  static_cast<void>(parse_net(text, name, kClasses));
  return one_line(text);
}

}  // namespace

std::vector<std::string> net_names() {
  std::vector<std::string> names;
  for (const NetFile& file : net_files()) names.emplace_back(file.name);
  return names;
}

std::string resolve_net(const std::string& value) {
  if (value.empty()) return {};
  if (value.find(';') != std::string::npos) return checked(value, "model.net");
  for (const NetFile& file : net_files()) {
    if (file.name == value) return checked(std::string(file.text), value + ".net");
  }
  std::error_code ignored;
  if (!std::filesystem::exists(value, ignored))
    fail(ExitCode::usage, "model.net is '{}', which is neither a file nor one of the nets {}",
         value, fmt::join(net_names(), ", "));
  return checked(read_text_file(value), value);
}

}  // namespace convoy
