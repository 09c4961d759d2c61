// Plain loops of response normalisation and max pooling, for their tests and that of both in one.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "tests/core/ops/op_test.h"

namespace convoy {

inline Doubles lrn_reference(const LrnSpec& s, const Doubles& x) {
  Doubles y(x.size());
  const auto group = static_cast<std::int64_t>(s.group);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::int64_t c = static_cast<std::int64_t>(i) % group;
    double sum = 0;
    for (std::int64_t o = -(s.size / 2); o <= s.size / 2; ++o)
      if (c + o >= 0 && c + o < group) {
        const double v = x[static_cast<std::size_t>(static_cast<std::int64_t>(i) + o)];
        sum += v * v;
      }
    y[i] = x[i] * std::pow(double{s.k} + double{s.alpha} * sum, -double{s.beta});
  }
  return y;
}

// y, and for each output the index of the first maximum in x.
template <typename T>
std::pair<std::vector<T>, std::vector<std::size_t>> pool_reference(const PoolSpec& s,
                                                                   const std::vector<T>& x) {
  const Shape ys = s.y();
  std::vector<T> y;
  std::vector<std::size_t> first;
  for (std::int64_t n = 0; n < ys.n; ++n)
    for (std::int64_t p = 0; p < ys.h; ++p)
      for (std::int64_t q = 0; q < ys.w; ++q)
        for (std::int64_t c = 0; c < ys.c; ++c) {
          T best = -std::numeric_limits<T>::infinity();
          std::size_t place = 0;
          for (std::int64_t h = p * s.stride; h < std::min(s.x.h, p * s.stride + s.kernel); ++h)
            for (std::int64_t w = q * s.stride; w < std::min(s.x.w, q * s.stride + s.kernel); ++w) {
              const auto at = static_cast<std::size_t>(((n * s.x.h + h) * s.x.w + w) * s.x.c + c);
              if (x[at] > best) {
                best = x[at];
                place = at;
              }
            }
          y.push_back(best);
          first.push_back(place);
        }
  return {y, first};
}

}  // namespace convoy
