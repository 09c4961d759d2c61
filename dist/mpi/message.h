// Numbers and texts as bytes for another rank of the same build, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace convoy {

class MessageWriter {
 public:
  MessageWriter& number(std::uint64_t value) { return append(&value, sizeof value); }
  MessageWriter& text(const std::string& value) {
    number(value.size());
    return append(value.data(), value.size());
  }
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  MessageWriter& append(const void* data, std::size_t count) {
    if (count == 0) return *this;
    bytes_.resize(bytes_.size() + count);
    std::memcpy(&bytes_[bytes_.size() - count], data, count);
    return *this;
  }
  std::vector<std::byte> bytes_;
};

// Throws std::out_of_range where the message is shorter than what is read.
class MessageReader {
 public:
  explicit MessageReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text() {
    const std::span<const std::byte> part = take(number());
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

 private:
  std::span<const std::byte> take(std::size_t count) {
    if (count > bytes_.size()) throw std::out_of_range("a message of another rank is cut");
    const auto part = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return part;
  }
  std::span<const std::byte> bytes_;
};

}  // namespace convoy
