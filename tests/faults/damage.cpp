// Does the damage to a copy.
#include "tests/faults/damage.h"

#include <algorithm>

namespace convoy::faults {
namespace {

constexpr std::size_t sector = 512;

std::size_t below(std::size_t limit, std::mt19937_64& random) {
  return static_cast<std::size_t>(random() % limit);
}

char noise(std::mt19937_64& random) { return static_cast<char>(random() % 256); }

void exchange_sectors(std::string& bytes, std::size_t place, std::mt19937_64& random) {
  const std::size_t sectors = bytes.size() / sector;
  if (sectors < 2) return;
  const std::size_t first = std::min(place / sector, sectors - 1);
  const std::size_t second = below(sectors, random);
  for (std::size_t i = 0; i < sector; ++i) {
    std::swap(bytes[first * sector + i], bytes[second * sector + i]);
  }
}

std::string once(const std::string& whole, std::size_t place, Damage damage,
                 std::mt19937_64& random) {
  std::string bytes = whole;
  const std::size_t left = bytes.size() - place;
  switch (damage) {
    case Damage::bit:
      bytes[place] = static_cast<char>(bytes[place] ^ (1 << below(8, random)));
      break;
    case Damage::byte:
      bytes[place] = noise(random);
      break;
    case Damage::burst:
      std::generate_n(&bytes[place], std::min(left, 2 + below(63, random)),
                      [&] { return noise(random); });
      break;
    case Damage::zeros: {
      const std::size_t begin = place / sector * sector;
      const std::size_t count = sector * (1 + below(8, random));
      std::fill_n(&bytes[begin], std::min(bytes.size() - begin, count), '\0');
      break;
    }
    case Damage::swap:
      exchange_sectors(bytes, place, random);
      break;
    case Damage::cut:
      bytes.resize(place);
      break;
    case Damage::lost:
      std::fill_n(&bytes[place], left, '\0');
      break;
    case Damage::missing:
      bytes.erase(place, 1 + below(8, random));
      break;
    case Damage::added:
      bytes.insert(place, 1 + below(8, random), noise(random));
      break;
  }
  return bytes;
}

}  // namespace

std::string_view name_of(Damage damage) {
  constexpr std::string_view names[] = {"bit", "byte", "burst",   "zeros", "swap",
                                        "cut", "lost", "missing", "added"};
  return names[static_cast<std::size_t>(damage)];
}

std::string damaged(const std::string& whole, const Region& region, Damage damage,
                    std::mt19937_64& random) {
  constexpr int tries = 100;  // zeros of zeros change nothing
  for (int i = 0; i < tries; ++i) {
    const std::size_t place = region.places[below(region.places.size(), random)];
    std::string bytes = once(whole, place, damage, random);
    if (bytes != whole) return bytes;
  }
  return once(whole, region.places.front(), Damage::bit, random);
}

}  // namespace convoy::faults
