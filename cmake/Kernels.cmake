# convoy_kernels(PREFIX): one source of vector kernels, compiled once per instruction set as
# PREFIX_baseline.cpp, PREFIX_avx2.cpp and PREFIX_avx512.cpp; the program picks at run time.
# On other processors than x86-64 the plain build is all there is (NEON on arm64).
function(convoy_kernels prefix)
  # The sanitizers' checks make gcc spend minutes on some of these files at -O3.
  set(level -O3)
  if(CONVOY_FUZZ)
    set(level -O0)
  elseif(CONVOY_SANITIZE)
    set(level -O1)
  endif()
  set(options ${level} -fopenmp-simd -ffp-contract=fast -fno-math-errno -fno-trapping-math)
  set_source_files_properties(${prefix}_baseline.cpp PROPERTIES COMPILE_OPTIONS "${options}")
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    set_source_files_properties(${prefix}_avx2.cpp PROPERTIES COMPILE_OPTIONS
      "${options};-mavx2;-mfma")
    set_source_files_properties(${prefix}_avx512.cpp PROPERTIES COMPILE_OPTIONS
      "${options};-mavx2;-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mprefer-vector-width=512")
  endif()
endfunction()
