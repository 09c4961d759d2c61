// Initial parameter values from counted random numbers.
#include <algorithm>

#include "core/net/network.h"
#include "core/random.h"

namespace convoy {

std::vector<float> initial_values(const Parameter& parameter, std::uint64_t seed) {
  const std::int64_t row = parameter.logical.per_row();
  const std::int64_t first = parameter.rows.begin * row;  // element of the logical tensor
  const std::int64_t count = parameter.rows.size() * row;
  std::vector<float> values(static_cast<std::size_t>(count));
  const Initialisation& init = parameter.init;

  if (parameter.is_bias() && !init.uniform) {
    std::fill(values.begin(), values.end(), static_cast<float>(init.bias));
    return values;
  }
  const RandomSource source(seed, Purpose::weights, parameter.number);
  const auto draw = [&](std::int64_t element) {
    const PhiloxBlock words = source.block(0, 0, static_cast<std::uint32_t>(element / 4));
    const auto lane = static_cast<std::size_t>(element % 4);
    if (init.uniform) return (2 * uniform(words[lane]) - 1) * init.spread;
    const auto pair = normals(words[lane / 2 * 2], words[lane / 2 * 2 + 1]);
    return pair[lane % 2] * init.spread;
  };
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < count; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<float>(draw(first + i));
  }
  return values;
}

}  // namespace convoy
