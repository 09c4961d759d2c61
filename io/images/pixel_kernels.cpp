// Picks the pixel kernels by the instruction set.
#include "io/images/pixel_kernels.h"

namespace convoy::pixels {

extern const PixelKernels pixel_kernels_baseline;
#ifdef __x86_64__
extern const PixelKernels pixel_kernels_avx2;
extern const PixelKernels pixel_kernels_avx512;
#endif

const PixelKernels& kernels_for(cpu::Isa isa) {
#ifdef __x86_64__
  if (isa == cpu::Isa::avx512) return pixel_kernels_avx512;
  if (isa == cpu::Isa::avx2) return pixel_kernels_avx2;
#endif
  static_cast<void>(isa);
  return pixel_kernels_baseline;
}

}  // namespace convoy::pixels
