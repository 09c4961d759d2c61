// Mean image, mean colour and principal components of colour over the images of a dataset.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/cpu/kernels.h"
#include "io/dataset/dataset.h"
#include "io/images/pixel_kernels.h"

namespace convoy {

// Sums are integers, so they are exact and do not depend on the order or the thread that adds.
class PixelStatistics {
 public:
  // Of images [S, S, 3], with kernels for `isa`, which the processor must run.
  explicit PixelStatistics(std::int64_t image_size, cpu::Isa isa = cpu::best_isa());

  void add(const std::uint8_t* image);  // [S, S, 3] RGB
  void add(const PixelStatistics& other);

  // What has been added so far, to be kept and taken up again.
  struct Sums {
    std::int64_t images = 0;
    std::vector<std::uint64_t> pixels;        // [S, S, 3]
    std::array<std::uint64_t, 6> products{};  // of RR, GG, BB, RG, RB, GB over all pixels
  };
  [[nodiscard]] Sums sums() const;
  void add(const Sums& sums);  // of the same S

  // Of at least one image.
  [[nodiscard]] std::vector<float> mean_image() const;  // [S, S, 3]
  [[nodiscard]] std::array<double, 3> mean_rgb() const;
  [[nodiscard]] ColourPca pca() const;

 private:
  void flush();

  const pixels::PixelKernels* kernels_;
  std::int64_t image_size_;
  std::int64_t images_ = 0;
  std::int64_t recent_images_ = 0;
  std::vector<std::uint32_t> recent_;        // [S, S, 3] sums of the last images, narrow for speed
  std::vector<std::uint64_t> sums_;          // [S, S, 3] of those before
  std::array<std::uint64_t, 6> products_{};  // sums of RR, GG, BB, RG, RB, GB over all pixels
};

// Eigenvalues (largest first) and unit eigenvectors of a symmetric matrix. The component of a
// vector that is largest in magnitude is positive, so that the sign is settled.
struct Eigen3 {
  std::array<double, 3> values;
  std::array<std::array<double, 3>, 3> vectors;  // vectors[k] belongs to values[k]
};
[[nodiscard]] Eigen3 eigen_symmetric(std::array<std::array<double, 3>, 3> matrix);

}  // namespace convoy
