// Bins are found by integer arithmetic on the bits of floats.
#include "io/run/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace convoy {
namespace {

constexpr unsigned kBinShift = 20;  // bits of a float that a bin leaves open
constexpr std::uint32_t kSign = 0x80000000;

// A number that grows with the value, and is the same for both zeros.
std::uint32_t order_of(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & kSign) != 0 ? 0 - bits : bits | kSign;
}

// The value of non-negative bits without a fraction below a bin's.
double magnitude(std::uint32_t bits) {
  constexpr int bias = 127;
  constexpr std::uint32_t eighths = 7;
  const auto exponent = static_cast<int>(bits >> 23);
  const double fraction = ((bits >> kBinShift) & eighths) / 8.0;
  return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

}  // namespace

std::int64_t Histogram::values() const {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

std::size_t bin_of(float value) { return order_of(value) >> kBinShift; }

double lower_edge(std::size_t bin) {
  constexpr std::size_t zero = kSign >> kBinShift;
  if (bin >= zero) return magnitude(static_cast<std::uint32_t>(bin - zero) << kBinShift);
  return -magnitude(static_cast<std::uint32_t>(zero - bin) << kBinShift);
}

Moments count(std::span<const float> values, Histogram& into) {
  Moments moments;
  for (const float value : values) {
    ++into.counts[bin_of(value)];
    if (!std::isfinite(value)) ++into.not_finite;
    into.least = std::min(into.least, value);
    into.most = std::max(into.most, value);
    const auto wide = static_cast<double>(value);
    moments.sum += wide;
    moments.squares += wide * wide;
  }
  return moments;
}

void add(const Histogram& part, Histogram& whole) {
  for (std::size_t bin = 0; bin < Histogram::kBins; ++bin) whole.counts[bin] += part.counts[bin];
  whole.not_finite += part.not_finite;
  whole.least = std::min(whole.least, part.least);
  whole.most = std::max(whole.most, part.most);
}

}  // namespace convoy
