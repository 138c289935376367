/* A linear layer of piecewise-linear encodings, without the encodings.

   Of feature f a row has come through all bins before `bin`, and through the part
   `fraction` of that one. The layer's weights w_t of the bins then add up to

       sum_{t < bin} w_t + fraction w_bin = level[bin] + fraction w_bin,

   where `level` are the sums of the weights before. One look-up takes the place of as
   many products as there are bins. The loops are vectorised by the compiler, for the
   build's baseline and, on x86-64, for AVX2 with FMA; the choice is made at run time. */

#include <stddef.h>
#include <stdint.h>

#include "../_processor.h"

#define SKML_PIECEWISE_WIDE __attribute__((target("avx2,fma")))

#define SKML_PIECEWISE_BODIES(T, name, target)                                         \
    /* out[i] += sum_f level[bin] + fraction w_bin */                                     \
    target static void skml_look_up_##name(                                            \
        const T *restrict levels, const T *restrict weights,                           \
        const int32_t *restrict bins, const T *restrict fractions, ptrdiff_t n_rows,      \
        ptrdiff_t n_features, ptrdiff_t width, T *restrict out)                        \
    {                                                                                  \
        for (ptrdiff_t i = 0; i < n_rows; i++, out += width)                           \
            for (ptrdiff_t f = 0; f < n_features; f++) {                               \
                const ptrdiff_t bin = bins[i * n_features + f] * width;                \
                const T fraction = fractions[i * n_features + f];                            \
                for (ptrdiff_t k = 0; k < width; k++)                                  \
                    out[k] += levels[bin + k] + fraction * weights[bin + k];              \
            }                                                                          \
    }                                                                                  \
    /* Of each bin, sums of gradients: of rows that are in it, and with their fractions */ \
    target static void skml_gather_##name(                                             \
        const T *restrict gradient, const int32_t *restrict bins,                      \
        const T *restrict fractions, ptrdiff_t n_rows, ptrdiff_t n_features,              \
        ptrdiff_t width, T *restrict inside, T *restrict shared)                       \
    {                                                                                  \
        for (ptrdiff_t i = 0; i < n_rows; i++, gradient += width)                      \
            for (ptrdiff_t f = 0; f < n_features; f++) {                               \
                const ptrdiff_t bin = bins[i * n_features + f] * width;                \
                const T fraction = fractions[i * n_features + f];                            \
                for (ptrdiff_t k = 0; k < width; k++) {                                \
                    inside[bin + k] += gradient[k];                                    \
                    shared[bin + k] += fraction * gradient[k];                            \
                }                                                                      \
            }                                                                          \
    }

SKML_PIECEWISE_BODIES(float, float_baseline, )
SKML_PIECEWISE_BODIES(double, double_baseline, )
#if SKML_X86
SKML_PIECEWISE_BODIES(float, float_avx2, SKML_PIECEWISE_WIDE)
SKML_PIECEWISE_BODIES(double, double_avx2, SKML_PIECEWISE_WIDE)
#define SKML_PIECEWISE(wide, f, T, ...)                                                \
    ((wide) ? skml_##f##_##T##_avx2(__VA_ARGS__) : skml_##f##_##T##_baseline(__VA_ARGS__))
#else
#define SKML_PIECEWISE(wide, f, T, ...) skml_##f##_##T##_baseline(__VA_ARGS__)
#endif

#define SKML_LOOK_UP(wide, T, ...) SKML_PIECEWISE(wide, look_up, T, __VA_ARGS__)
#define SKML_GATHER(wide, T, ...) SKML_PIECEWISE(wide, gather, T, __VA_ARGS__)
#define SKML_LOOK_UP_FLOAT(wide, ...) SKML_LOOK_UP(wide, float, __VA_ARGS__)
#define SKML_LOOK_UP_DOUBLE(wide, ...) SKML_LOOK_UP(wide, double, __VA_ARGS__)
#define SKML_GATHER_FLOAT(wide, ...) SKML_GATHER(wide, float, __VA_ARGS__)
#define SKML_GATHER_DOUBLE(wide, ...) SKML_GATHER(wide, double, __VA_ARGS__)
