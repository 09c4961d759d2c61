// The kernels for every processor of the kind that is built for.
#define CONVOY_KERNELS_TABLE kernels_baseline
#ifdef __aarch64__
#define CONVOY_KERNELS_NAME "NEON"
#else
#define CONVOY_KERNELS_NAME "SSE2"
#endif
#include "core/cpu/kernels_body.inc"
