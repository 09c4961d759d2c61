// Strikes weights off a set until an image has a product for each, or there are no more images.
#include "core/ops/unreached_weights.h"

#include <algorithm>
#include <bit>

namespace convoy {
namespace {

std::uint64_t nonzero(const float* values, std::int64_t count) {
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < count; ++i)
    bits |= static_cast<std::uint64_t>(values[i] != 0.0F) << i;
  return bits;
}

}  // namespace

void UnreachedWeights::clear(const float* x, const float* dy, std::int64_t images,
                             std::int64_t kernels, float* dw, float* work) const {
  auto* const inputs = reinterpret_cast<std::uint64_t*>(work);  // [pixel][channel]
  std::uint64_t* const seen = inputs + pixels() * words_;       // [channel], of an image
  std::uint64_t* const all = seen + words_;                     // [channel]
  std::uint64_t* const unreached = all + words_;                // [kernel, tap, tap][channel]
  const std::int64_t taps = kernels * taps_ * taps_;
  std::fill_n(all, words_, ~std::uint64_t{0});
  if (x_.channels % 64 != 0) all[words_ - 1] >>= 64 - x_.channels % 64;
  for (std::int64_t tap = 0; tap < taps; ++tap) std::copy_n(all, words_, unreached + tap * words_);

  bool more = true;
  for (std::int64_t n = 0; n < images && more; ++n) {
    mark_inputs(x + x_.at(n), inputs, seen);
    more = false;
    for (std::int64_t k = 0; k < kernels; ++k) {
      std::uint64_t* const filter = unreached + k * taps_ * taps_ * words_;
      strike(dy + y_.at(n) + k, inputs, seen, filter);
      more = more || any(filter, all);
    }
  }
  if (!more) return;
  for (std::int64_t i = 0; i < taps * words_; ++i)
    for (std::uint64_t bits = unreached[i]; bits != 0; bits &= bits - 1)
      dw[i / words_ * x_.channels + i % words_ * 64 + std::countr_zero(bits)] = 0;
}

// Which channels are not 0, at each pixel and in the whole image.
void UnreachedWeights::mark_inputs(const float* image, std::uint64_t* inputs,
                                   std::uint64_t* seen) const {
  std::fill_n(inputs, pixels() * words_, 0);
  std::fill_n(seen, words_, 0);
  const std::int64_t bottom = std::min(x_.h + pad_, y_.h + taps_ - 1);
  const std::int64_t right = std::min(x_.w + pad_, row());
  for (std::int64_t h = pad_; h < bottom; ++h)
    for (std::int64_t w = pad_; w < right; ++w) {
      const float* const pixel = image + ((h - pad_) * x_.w + w - pad_) * x_.pixel;
      for (std::int64_t word = 0; word < words_; ++word) {
        const std::uint64_t bits =
            nonzero(pixel + word * 64, std::min<std::int64_t>(64, x_.channels - word * 64));
        inputs[(h * row() + w) * words_ + word] = bits;
        seen[word] |= bits;
      }
    }
}

// Strikes off what an image reaches of a kernel's weights.
void UnreachedWeights::strike(const float* gradient, const std::uint64_t* inputs,
                              const std::uint64_t* seen, std::uint64_t* filter) const {
  const std::int64_t line = taps_ * words_;
  for (std::int64_t h = 0; h < y_.h && any(filter, seen); ++h)
    for (std::int64_t w = 0; w < y_.w; ++w) {
      if (gradient[(h * y_.w + w) * y_.pixel] == 0.0F) continue;
      for (std::int64_t tap = 0; tap < taps_; ++tap) {
        const std::uint64_t* const under = inputs + ((h + tap) * row() + w) * words_;
        std::uint64_t* const left = filter + tap * line;
        for (std::int64_t i = 0; i < line; ++i) left[i] &= ~under[i];
      }
    }
}

// Whether a kernel has weights in its set that read one of these channels.
bool UnreachedWeights::any(const std::uint64_t* filter, const std::uint64_t* channels) const {
  std::uint64_t found = 0;
  for (std::int64_t tap = 0; tap < taps_ * taps_; ++tap)
    for (std::int64_t word = 0; word < words_; ++word)
      found |= filter[tap * words_ + word] & channels[word];
  return found != 0;
}

}  // namespace convoy
