// Damage to the bytes of a file, as disks, networks and interrupted copies do it.
#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::faults {

// Bytes of a file that serve one purpose.
struct Region {
  std::string name;
  std::vector<std::size_t> places;
};

enum class Damage {
  bit,      // one bit flipped
  byte,     // one byte of another value
  burst,    // up to 64 bytes of noise
  zeros,    // up to eight sectors of 512 bytes read as zeros
  swap,     // two sectors exchanged
  cut,      // nothing from there on
  lost,     // zeros from there on, at the old length
  missing,  // up to 8 bytes left out, what follows moves up
  added,    // up to 8 bytes put in
};
inline constexpr Damage all_damage[] = {Damage::bit,   Damage::byte,    Damage::burst,
                                        Damage::zeros, Damage::swap,    Damage::cut,
                                        Damage::lost,  Damage::missing, Damage::added};

[[nodiscard]] std::string_view name_of(Damage damage);

// `whole` damaged at a random place of the region; it differs from `whole`.
[[nodiscard]] std::string damaged(const std::string& whole, const Region& region, Damage damage,
                                  std::mt19937_64& random);

}  // namespace convoy::faults
