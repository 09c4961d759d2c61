// Probabilities of an image from those of its views (Krizhevsky et al. 2012, section 4.1).
#pragma once

#include <cstddef>
#include <span>

namespace convoy {

// p [images * views, classes], of which the first [images, classes] become the averages over the
// views of each image, summed in double.
inline void average_views(std::span<float> p, std::size_t images, std::size_t views,
                          std::size_t classes) {
  std::size_t mean = 0;  // averages overwrite views already read
  for (std::size_t image = 0; image < images; ++image) {
    for (std::size_t c = 0; c < classes; ++c) {
      double sum = 0;
      for (std::size_t v = 0; v < views; ++v) {
        sum += static_cast<double>(p[(image * views + v) * classes + c]);
      }
      p[mean++] = static_cast<float>(sum / static_cast<double>(views));
    }
  }
}

}  // namespace convoy
