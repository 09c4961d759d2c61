// Sends a text's length, then the text.
#include "dist/comm/texts.h"

#include <cstdint>

namespace convoy {

std::string broadcast_text(Communicator& group, const std::string& name, std::string text,
                           int root) {
  std::uint64_t size = text.size();
  group.broadcast(name, &size, sizeof size, root);
  text.resize(size);
  group.broadcast(name, text.data(), size, root);
  return text;
}

std::vector<std::string> gather_texts(Communicator& group, const std::string& name,
                                      const std::string& mine) {
  std::vector<std::string> all;
  for (int rank = 0; rank < group.size(); ++rank)
    all.push_back(broadcast_text(group, name, mine, rank));
  return all;
}

}  // namespace convoy
