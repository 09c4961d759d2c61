// The record of a rank's collectives as it lies in memory and in its file.
//
// Everything is words of 8 bytes that are read and written one by one, so that other threads may
// read while a thread writes, and the file can be read whenever its process is gone. Bytes are in
// the order of the machine.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace convoy::record {

using Word = std::atomic<std::uint64_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 8, "a word of a file");

inline constexpr std::uint64_t kMagic =
    std::bit_cast<std::uint64_t>(std::array<char, 8>{'C', 'O', 'N', 'V', 'O', 'Y', 'C', 'R'});
inline constexpr std::uint64_t kVersion = 1;
inline constexpr std::size_t kSlots = 1024;  // newest collectives that are kept
inline constexpr std::size_t kGroups = 16;   // at a time
inline constexpr std::size_t kLayers = 64;

// Cut to 8 bytes a word; what is no printable ASCII reads as '?'.
template <std::size_t Words>
class Text {
 public:
  void store(std::string_view text) {
    for (std::size_t i = 0; i < Words; ++i) {
      std::array<char, 8> bytes{};
      if (8 * i < text.size())
        std::memcpy(bytes.data(), text.data() + 8 * i,
                    std::min<std::size_t>(8, text.size() - 8 * i));
      words_[i].store(std::bit_cast<std::uint64_t>(bytes), std::memory_order_release);
    }
  }
  [[nodiscard]] std::string load() const {
    std::string text;
    for (const Word& word : words_) {
      const auto bytes = std::bit_cast<std::array<char, 8>>(word.load(std::memory_order_acquire));
      for (const char c : bytes) {
        if (c == 0) return text;
        text += c >= ' ' && c <= '~' ? c : '?';
      }
    }
    return text;
  }

 private:
  std::array<Word, Words> words_;
};

enum class SlotState : std::uint64_t { entered = 1, waits = 2, left = 3, given_up = 4 };

struct alignas(64) Slot {
  Word sequence;  // from 1; 0 while the slot is being written, and where it was never used
  Word state;     // SlotState
  Word group;
  Word number;
  Word bytes;
  Word entered_ns;  // since 1970
  Word left_ns;     // 0: not left
  Word limit_ms;
  Word step;
  Word place;  // as Header::place
  Text<6> name;
};

struct Group {
  Word id;  // 0: free
  Word entered;
  Word left;
  Text<5> ranks;
};

enum class RankState : std::uint64_t { running = 1, ended = 2, failed = 3 };

struct Header {
  Word magic;
  Word version;
  Word bytes;  // of the file
  Word job;    // when the job started, ns since 1970; the same on all its ranks
  Word rank;
  Word ranks;
  Word process;
  Word state;      // RankState
  Word exit_code;  // where it failed
  Word entered;    // collectives
  Word step;
  Word place;  // the phase in the upper half; in the lower 1 + index of the layer, 0: none
  Text<8> host;
  Text<8> boot;  // of the kernel that knows the process
  std::array<Group, kGroups> groups;
  std::array<Text<4>, kLayers> layers;
};

struct Image {
  Header header;
  std::array<Slot, kSlots> slots;
};

}  // namespace convoy::record
