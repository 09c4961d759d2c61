// Exact sums over pixels, and the eigenvectors of their covariance by Jacobi's rotations.
#include "io/pack/pixel_statistics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace convoy {
namespace {

constexpr std::int64_t flush_after = (std::int64_t{1} << 32) / 256;  // 255 * this fits 32 bits

using Matrix3 = std::array<std::array<double, 3>, 3>;

// Zeroes matrix[p][q] by a rotation in the plane of p and q, and turns the vectors with it
// (Golub, Van Loan, "Matrix Computations", section 8.5).
void rotate(Matrix3& matrix, Matrix3& vectors, std::size_t p, std::size_t q) {
  if (matrix[p][q] == 0) return;
  const double tau = (matrix[q][q] - matrix[p][p]) / (2 * matrix[p][q]);
  const double t = std::copysign(1.0, tau) / (std::abs(tau) + std::hypot(1.0, tau));
  const double c = 1 / std::hypot(1.0, t);
  const double s = t * c;
  for (std::size_t k = 0; k < 3; ++k) {
    const double kp = matrix[k][p];
    const double kq = matrix[k][q];
    matrix[k][p] = c * kp - s * kq;
    matrix[k][q] = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const double pk = matrix[p][k];
    const double qk = matrix[q][k];
    matrix[p][k] = c * pk - s * qk;
    matrix[q][k] = s * pk + c * qk;
    const double vp = vectors[p][k];
    const double vq = vectors[q][k];
    vectors[p][k] = c * vp - s * vq;
    vectors[q][k] = s * vp + c * vq;
  }
}

}  // namespace

Eigen3 eigen_symmetric(Matrix3 matrix) {
  constexpr int sweeps = 16;  // convergence is quadratic: five or six sweeps reach full precision
  Matrix3 vectors{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    rotate(matrix, vectors, 0, 1);
    rotate(matrix, vectors, 0, 2);
    rotate(matrix, vectors, 1, 2);
  }
  std::array<std::size_t, 3> order{0, 1, 2};
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return matrix[a][a] > matrix[b][b]; });
  Eigen3 result{};
  for (std::size_t k = 0; k < 3; ++k) {
    result.values[k] = matrix[order[k]][order[k]];
    result.vectors[k] = vectors[order[k]];
    const double largest =
        *std::max_element(result.vectors[k].begin(), result.vectors[k].end(),
                          [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (largest < 0) {
      for (double& component : result.vectors[k]) component = -component;
    }
  }
  return result;
}

PixelStatistics::PixelStatistics(std::int64_t image_size, cpu::Isa isa)
    : kernels_(&pixels::kernels_for(isa)),
      image_size_(image_size),
      recent_(static_cast<std::size_t>(image_size * image_size * 3), 0),
      sums_(recent_.size(), 0) {}

void PixelStatistics::add(const std::uint8_t* image) {
  constexpr std::int64_t most = 65'536;  // pixels in a call of the kernel
  const std::int64_t pixels = image_size_ * image_size_;
  for (std::int64_t first = 0; first < pixels; first += most) {
    kernels_->add_statistics(image + 3 * first, std::min(most, pixels - first),
                             recent_.data() + 3 * first, products_.data());
  }
  ++images_;
  if (++recent_images_ == flush_after) flush();
}

void PixelStatistics::flush() {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i] += std::exchange(recent_[i], 0u);
  }
  recent_images_ = 0;
}

void PixelStatistics::add(const PixelStatistics& other) { add(other.sums()); }

PixelStatistics::Sums PixelStatistics::sums() const {
  Sums sums{images_, sums_, products_};
  for (std::size_t i = 0; i < sums.pixels.size(); ++i) sums.pixels[i] += recent_[i];
  return sums;
}

void PixelStatistics::add(const Sums& sums) {
  for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += sums.pixels[i];
  for (std::size_t k = 0; k < 6; ++k) products_[k] += sums.products[k];
  images_ += sums.images;
}

std::vector<float> PixelStatistics::mean_image() const {
  std::vector<float> mean(sums_.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    mean[i] = static_cast<float>(static_cast<double>(sums_[i] + recent_[i]) /
                                 static_cast<double>(images_));
  }
  return mean;
}

std::array<double, 3> PixelStatistics::mean_rgb() const {
  std::array<std::uint64_t, 3> totals{};
  for (std::size_t i = 0; i < sums_.size(); ++i) totals[i % 3] += sums_[i] + recent_[i];
  const auto pixels = static_cast<double>(images_ * image_size_ * image_size_);
  std::array<double, 3> mean{};
  for (std::size_t c = 0; c < 3; ++c) mean[c] = static_cast<double>(totals[c]) / pixels;
  return mean;
}

ColourPca PixelStatistics::pca() const {
  constexpr std::size_t product_of[3][3] = {{0, 3, 4}, {3, 1, 5}, {4, 5, 2}};
  const std::array<double, 3> mean = mean_rgb();
  const auto pixels = static_cast<double>(images_ * image_size_ * image_size_);
  Matrix3 covariance{};
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      covariance[a][b] =
          static_cast<double>(products_[product_of[a][b]]) / pixels - mean[a] * mean[b];
    }
  }
  const Eigen3 eigen = eigen_symmetric(covariance);
  ColourPca pca;
  for (std::size_t k = 0; k < 3; ++k) {
    pca.deviations[k] = std::sqrt(std::max(eigen.values[k], 0.0));
    pca.vectors[k] = eigen.vectors[k];
  }
  return pca;
}

}  // namespace convoy
