// The kernels for processors with AVX-512 F, BW, DQ and VL.
#define CONVOY_KERNELS_TABLE kernels_avx512
#define CONVOY_KERNELS_NAME "AVX-512"
#include "core/cpu/kernels_body.inc"
