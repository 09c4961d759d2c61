// The pixel kernels for processors with AVX-512 F, BW, DQ and VL.
#ifdef __x86_64__
#define CONVOY_PIXEL_KERNELS pixel_kernels_avx512
#include "io/images/pixel_kernels_body.inc"
#endif
