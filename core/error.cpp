// Keeps sentences readable whatever they quote.
#include "core/error.h"

#include <algorithm>

namespace convoy {

std::string printable(std::string text) {
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n') || byte == 0x7f;
  };
  std::ranges::replace_if(text, is_control, '?');
  return text;
}

}  // namespace convoy
