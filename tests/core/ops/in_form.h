// Images rearranged as a convolution by minimal filtering reads them.
#pragma once

#include <vector>

#include "core/ops/input_form.h"

namespace convoy {

// x as an InputForm says that it lies in memory.
inline std::vector<float> in_form(const InputForm& form, const Shape& x_shape,
                                  const std::vector<float>& x) {
  const Shape to = form.shape(x_shape.n);
  std::vector<float> values(static_cast<std::size_t>(to.count()));
  auto value = values.begin();
  for (std::int64_t n = 0; n < to.n; ++n)
    for (std::int64_t i = 0; i < to.h; ++i)
      for (std::int64_t j = 0; j < to.w; ++j)
        for (std::int64_t a = 0; a < form.block; ++a)
          for (std::int64_t b = 0; b < form.block; ++b)
            for (std::int64_t c = 0; c < form.channels; ++c, ++value) {
              const std::int64_t row = i * form.block - form.pad + a;
              const std::int64_t column = j * form.block - form.pad + b;
              if (row >= 0 && row < x_shape.h && column >= 0 && column < x_shape.w)
                *value = x[static_cast<std::size_t>(
                    ((n * x_shape.h + row) * x_shape.w + column) * x_shape.c + c)];
            }
  return values;
}

}  // namespace convoy
