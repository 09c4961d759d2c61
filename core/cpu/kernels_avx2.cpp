// The kernels for processors with AVX2 and FMA.
#ifdef __x86_64__
#define CONVOY_KERNELS_TABLE kernels_avx2
#define CONVOY_KERNELS_NAME "AVX2"
#include "core/cpu/kernels_body.inc"
#endif
