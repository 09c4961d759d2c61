// The pixel kernels for every processor of the kind that is built for.
#define CONVOY_PIXEL_KERNELS pixel_kernels_baseline
#include "io/images/pixel_kernels_body.inc"
