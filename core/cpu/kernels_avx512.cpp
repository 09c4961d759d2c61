// The kernels for processors with AVX-512 F, BW, DQ and VL.
#ifdef __x86_64__
#define CONVOY_KERNELS_TABLE kernels_avx512
#define CONVOY_KERNELS_NAME "AVX-512"
#include "core/cpu/kernels_body.inc"
#endif
