/* Attention pooling, fused: scores, their exponentials and weighted sums in one pass.

   The code is in `_pooling_template.h`, which is compiled for float and double, for the
   build's baseline and, on x86-64, for AVX2 with FMA. The choice is made at run time.
   Everything is written with the compiler's vectors. Those of AVX-512 are not worth a
   variant: on Zen 4 they gain 10 % with 20 features, and nothing with 64. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../_processor.h"

/* Vectors are passed only between functions that are inlined into each other. */
#pragma GCC diagnostic ignored "-Wpsabi"

enum { SKML_GAUSSIAN, SKML_LAPLACE, SKML_DOT };

#define SKML_MOST_KEYS 512 /* that are packed together */
#define SKML_MOST_QUERIES 1024 /* that a packed block serves */
#define SKML_PACKED_KEYS (256 * SKML_BYTES) /* numbers, about: narrow vectors want L1 */
#define SKML_PACKED_QUERIES 16384

#define SKML_JOIN_(a, b, c) a##_##b##_##c
#define SKML_JOIN(a, b, c) SKML_JOIN_(a, b, c)
#define SKML_NAME(name) SKML_JOIN(skml_##name, SKML_T, SKML_VARIANT)

/* SKML_QUERIES by SKML_VECTORS of keys are a tile, whose sums stay in registers. */
#define SKML_VARIANT baseline
#define SKML_TARGET
#define SKML_BYTES 16
#define SKML_QUERIES 6
#define SKML_VECTORS 2
#define SKML_T float
#include "_pooling_template.h"
#undef SKML_T
#define SKML_T double
#include "_pooling_template.h"
#undef SKML_T
#undef SKML_VARIANT
#undef SKML_TARGET
#undef SKML_BYTES

#if SKML_X86
#define SKML_VARIANT avx2
#define SKML_TARGET __attribute__((target("avx2,fma")))
#define SKML_BYTES 32
#define SKML_T float
#include "_pooling_template.h"
#undef SKML_T
#define SKML_T double
#include "_pooling_template.h"
#undef SKML_T
#undef SKML_VARIANT
#undef SKML_TARGET
#undef SKML_BYTES

#define SKML_CALL(level, name, T, ...)                   \
    ((level) ? skml_##name##_##T##_avx2(__VA_ARGS__)     \
             : skml_##name##_##T##_baseline(__VA_ARGS__))
#else
#define SKML_CALL(level, name, T, ...) skml_##name##_##T##_baseline(__VA_ARGS__)
#endif

#define SKML_POOL_FLOAT(level, ...) SKML_CALL(level, pool, float, __VA_ARGS__)
#define SKML_POOL_DOUBLE(level, ...) SKML_CALL(level, pool, double, __VA_ARGS__)
#define SKML_BACKWARD_FLOAT(level, ...) SKML_CALL(level, backward, float, __VA_ARGS__)
#define SKML_BACKWARD_DOUBLE(level, ...) SKML_CALL(level, backward, double, __VA_ARGS__)
