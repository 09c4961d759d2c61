// The text of `convoy --version`.
#pragma once

#include <string>

namespace convoy {

// Convoy's own version, "0.1.0", and the day that it is of, "2026-11-25".
[[nodiscard]] std::string convoy_version();
[[nodiscard]] std::string convoy_date();

// A line for Convoy, for each library that tells which version is loaded (built with, found), then
// for each that does not and for the compiler (built with).
[[nodiscard]] std::string version_text();

}  // namespace convoy
