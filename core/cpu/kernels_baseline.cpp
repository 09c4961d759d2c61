// The kernels for every x86-64 processor.
#define CONVOY_KERNELS_TABLE kernels_baseline
#define CONVOY_KERNELS_NAME "x86-64 (SSE2)"
#include "core/cpu/kernels_body.inc"
