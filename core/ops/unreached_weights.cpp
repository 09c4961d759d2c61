// Strikes weights off a set until an image has a product for each, or there are no more images.
#include "core/ops/unreached_weights.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace convoy {
namespace {

std::uint64_t nonzero(const float* values, std::int64_t count) {
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < count; ++i)
    bits |= static_cast<std::uint64_t>(values[i] != 0.0F) << i;
  return bits;
}

bool has(const std::uint64_t* set, std::int64_t member) {
  return (set[member / 64] >> (member % 64) & 1) != 0;
}

}  // namespace

void UnreachedWeights::clear(const float* x, const float* dy, std::int64_t images,
                             std::int64_t kernels, float* dw, float* work) const {
  auto* free = reinterpret_cast<std::uint64_t*>(work);
  const auto take = [&](std::int64_t words) { return std::exchange(free, free + words); };
  const Marks inputs{take(pixels() * words_), take(words_), words_};
  const std::int64_t kernel_words = words_for(kernels);
  const Marks gradients{take(y_.h * y_.w * kernel_words), take(kernel_words), kernel_words};
  std::uint64_t* const all = take(words_);  // channels
  const std::int64_t taps = kernels * taps_ * taps_;
  std::uint64_t* const unreached = take(taps * words_);  // [kernel, tap, tap][channel]
  std::fill_n(all, words_, ~std::uint64_t{0});
  if (x_.channels % 64 != 0) all[words_ - 1] >>= 64 - x_.channels % 64;
  for (std::int64_t tap = 0; tap < taps; ++tap) std::copy_n(all, words_, unreached + tap * words_);

  bool more = true;
  for (std::int64_t n = 0; n < images && more; ++n) {
    mark_inputs(x + x_.at(n), inputs);
    mark_gradients(dy + y_.at(n), kernels, gradients);
    more = false;
    for (std::int64_t k = 0; k < kernels; ++k) {
      std::uint64_t* const filter = unreached + k * taps_ * taps_ * words_;
      if (has(gradients.seen, k)) strike(inputs, gradients, k, filter);
      more = more || any(filter, all);
    }
  }
  if (!more) return;
  for (std::int64_t i = 0; i < taps * words_; ++i)
    for (std::uint64_t bits = unreached[i]; bits != 0; bits &= bits - 1)
      dw[i / words_ * x_.channels + i % words_ * 64 + std::countr_zero(bits)] = 0;
}

void UnreachedWeights::mark_inputs(const float* image, const Marks& marks) const {
  std::fill_n(marks.pixels, pixels() * words_, 0);
  std::fill_n(marks.seen, words_, 0);
  const std::int64_t bottom = std::min(x_.h + pad_, y_.h + taps_ - 1);
  const std::int64_t right = std::min(x_.w + pad_, row());
  for (std::int64_t h = pad_; h < bottom; ++h)
    for (std::int64_t w = pad_; w < right; ++w)
      mark(image + ((h - pad_) * x_.w + w - pad_) * x_.pixel, x_.channels, h * row() + w, marks);
}

void UnreachedWeights::mark_gradients(const float* image, std::int64_t kernels,
                                      const Marks& marks) const {
  std::fill_n(marks.seen, marks.words, 0);
  for (std::int64_t pixel = 0; pixel < y_.h * y_.w; ++pixel)
    mark(image + pixel * y_.pixel, kernels, pixel, marks);
}

void UnreachedWeights::mark(const float* values, std::int64_t count, std::int64_t pixel,
                            const Marks& marks) {
  for (std::int64_t word = 0; word < marks.words; ++word) {
    const std::uint64_t bits =
        nonzero(values + word * 64, std::min<std::int64_t>(64, count - word * 64));
    marks.pixels[pixel * marks.words + word] = bits;
    marks.seen[word] |= bits;
  }
}

// Strikes off what an image reaches of a kernel's weights.
void UnreachedWeights::strike(const Marks& inputs, const Marks& gradients, std::int64_t kernel,
                              std::uint64_t* filter) const {
  const std::int64_t line = taps_ * words_;
  for (std::int64_t h = 0; h < y_.h && any(filter, inputs.seen); ++h)
    for (std::int64_t w = 0; w < y_.w; ++w) {
      if (!has(gradients.pixels + (h * y_.w + w) * gradients.words, kernel)) continue;
      for (std::int64_t tap = 0; tap < taps_; ++tap) {
        const std::uint64_t* const under = inputs.pixels + ((h + tap) * row() + w) * words_;
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
