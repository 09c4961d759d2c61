// Picks the kernels by what the processor runs.
#include "core/cpu/kernels.h"

namespace convoy::cpu {

extern const Kernels kernels_baseline;

#ifdef __x86_64__

extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;

Isa best_isa() {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (!avx2) return Isa::baseline;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? Isa::avx512 : Isa::avx2;
}

const Kernels& kernels_for(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return kernels_avx512;
    case Isa::avx2:
      return kernels_avx2;
    case Isa::baseline:
      break;
  }
  return kernels_baseline;
}

#else

Isa best_isa() { return Isa::baseline; }

const Kernels& kernels_for(Isa) { return kernels_baseline; }

#endif

}  // namespace convoy::cpu
