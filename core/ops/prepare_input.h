// From the reader's uint8 crops to the network's input: mirror, mean, colour noise, scale.
// Krizhevsky et al. 2012, sections 2 and 4.1.
#pragma once

#include <array>
#include <cstdint>

#include "core/ops/input_form.h"
#include "core/ops/op.h"

namespace convoy {

// How one crop was cut and what is to be done to it. One per image, made by the reader.
struct CropRecord {
  std::int32_t top = 0;           // first row of the crop in the stored image
  std::int32_t left = 0;          // first column
  std::int32_t mirror = 0;        // 1: flip left and right
  std::array<float, 3> colour{};  // added to R, G, B, in grey levels (PCA noise)
};

enum class MeanKind {
  none,
  channel,      // one number per colour
  centre_crop,  // the central crop of the mean image, unshifted and unmirrored (2012 code)
  same_crop,    // the mean image at the crop's own place, mirrored with it (Caffe)
};

struct PrepareInputSpec {
  std::int64_t images = 0;  // N
  std::int64_t size = 0;    // H = W of the crop
  MeanKind mean = MeanKind::centre_crop;
  bool bgr = false;                     // channels leave as B, G, R
  std::array<float, 3> channel_mean{};  // R, G, B, in grey levels, for MeanKind::channel
  std::array<float, 3> scale{1, 1, 1};  // R, G, B; the last factor
  std::int64_t mean_size = 0;           // H = W of the mean image
  InputForm form;                       // of x; the default is plain
};

class PrepareInputOp {
 public:
  virtual ~PrepareInputOp() = default;
  // crops uint8 [N, H, W, 3] RGB, records [N], mean image fp32 [S, S, 3] RGB (null where no image
  // is used), all in device memory; x [N, H, W, 3], or in the form asked for:
  //   x = (mirrored crop - mean + colour) * scale
  virtual void apply(const OpContext&, const Tensor& crops, const CropRecord* records,
                     const float* mean_image, const Tensor& x) = 0;
};

}  // namespace convoy
