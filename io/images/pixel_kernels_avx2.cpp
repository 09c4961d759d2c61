// The pixel kernels for processors with AVX2 and FMA.
#ifdef __x86_64__
#define CONVOY_PIXEL_KERNELS pixel_kernels_avx2
#include "io/images/pixel_kernels_body.inc"
#endif
